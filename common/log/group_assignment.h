#pragma once
#include <map>
#include <string>
#include <vector>

#include "common/log/log.h"

// Who of a group reads what. Pure: every member computes the same from the same rows, so nobody has to be the
// leader.
namespace gopline {

struct GroupMember {
  std::string id;
  std::vector<std::string> topics;
};

// Partition to member id.
using Ownership = std::map<TopicPartition, std::string>;

// Shares `partitions` among `members`. A partition stays with its owner in `current` unless balance needs it
// elsewhere; partitions that nobody subscribes to are left out. Members that can take the same topics end at
// most one partition apart.
Ownership plan_assignment(std::vector<GroupMember> members, const std::vector<TopicPartition>& partitions,
                          const Ownership& current);

}  // namespace gopline
