#include "common/log/group_assignment.h"

#include <algorithm>

namespace gopline {
namespace {

struct Load {
  const GroupMember* member;
  std::vector<TopicPartition> owned;
};

bool wants(const GroupMember& member, const std::string& topic) {
  return std::find(member.topics.begin(), member.topics.end(), topic) != member.topics.end();
}

Load* least_loaded(std::vector<Load>& loads, const std::string& topic) {
  Load* best = nullptr;
  for (auto& load : loads) {
    if (wants(*load.member, topic) && (!best || load.owned.size() < best->owned.size())) best = &load;
  }
  return best;
}

// Moves one partition to a member that has at least two fewer; the last in order goes first. False when
// nothing is to gain.
bool move_one(std::vector<Load>& loads) {
  for (auto& from : loads) {
    for (auto at = from.owned.size(); at-- > 0;) {
      auto* to = least_loaded(loads, from.owned[at].topic);
      if (to && to->owned.size() + 2 <= from.owned.size()) {
        to->owned.push_back(from.owned[at]);
        from.owned.erase(from.owned.begin() + static_cast<std::ptrdiff_t>(at));
        return true;
      }
    }
  }
  return false;
}

}  // namespace

Ownership plan_assignment(std::vector<GroupMember> members, const std::vector<TopicPartition>& partitions,
                          const Ownership& current) {
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  std::vector<Load> loads;
  for (const auto& member : members) loads.push_back({&member, {}});

  auto sorted = partitions;
  std::sort(sorted.begin(), sorted.end());
  std::vector<TopicPartition> free;
  for (const auto& partition : sorted) {
    auto owner = current.find(partition);
    auto load = std::find_if(loads.begin(), loads.end(), [&](const Load& candidate) {
      return owner != current.end() && candidate.member->id == owner->second &&
             wants(*candidate.member, partition.topic);
    });
    if (load != loads.end()) {
      load->owned.push_back(partition);
    } else {
      free.push_back(partition);
    }
  }
  for (const auto& partition : free) {
    if (auto* load = least_loaded(loads, partition.topic)) load->owned.push_back(partition);
  }
  while (move_one(loads)) {
  }

  Ownership plan;
  for (const auto& load : loads) {
    for (const auto& partition : load.owned) plan[partition] = load.member->id;
  }
  return plan;
}

}  // namespace gopline
