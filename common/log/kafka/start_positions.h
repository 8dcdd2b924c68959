#pragma once
#include <utility>
#include <vector>

#include "common/log/kafka/cluster.h"

namespace gopline::kafka {

// The offsets that positions mean now, in their order, each inside its partition. kNotFound for an unknown
// topic or partition.
Result<std::vector<Offset>> resolve(Cluster& cluster,
                                    const std::vector<std::pair<TopicPartition, StartPosition>>& positions);

// kNotFound unless there is such a partition.
Result<void> check_partition(Cluster& cluster, const TopicPartition& where);

}  // namespace gopline::kafka
