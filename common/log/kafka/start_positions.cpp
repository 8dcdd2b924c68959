#include "common/log/kafka/start_positions.h"

#include <algorithm>

namespace gopline::kafka {
namespace {

std::int64_t time_asked_for(const StartPosition& position) {
  using Kind = StartPosition::Kind;
  if (position.kind == Kind::kEnd) return Cluster::kLatest;
  if (position.kind != Kind::kTimestamp) return Cluster::kEarliest;
  // Kafka keeps milliseconds, so a record within the one asked for may be meant.
  auto time = std::chrono::floor<std::chrono::milliseconds>(position.timestamp);
  return std::max<std::int64_t>(time.time_since_epoch().count(), 0);
}

}  // namespace

Result<void> check_partition(Cluster& cluster, const TopicPartition& where) {
  GOPLINE_ASSIGN(auto topic, cluster.known_topic(where.topic));
  if (where.partition.value >= topic.info.partitions) {
    GOPLINE_ASSIGN(topic, cluster.describe(where.topic));
  }
  if (where.partition.value >= 0 && where.partition.value < topic.info.partitions) return {};
  return fail(ErrorCode::kNotFound, "topic {} has no partition {}", where.topic, where.partition);
}

Result<std::vector<Offset>> resolve(Cluster& cluster,
                                    const std::vector<std::pair<TopicPartition, StartPosition>>& positions) {
  std::vector<Cluster::Question> questions, ends;
  for (const auto& [where, position] : positions) {
    GOPLINE_TRY(check_partition(cluster, where));
    questions.push_back({where, time_asked_for(position)});
    if (position.kind == StartPosition::Kind::kOffset) ends.push_back({where, Cluster::kLatest});
  }
  if (questions.empty()) return std::vector<Offset>();
  GOPLINE_ASSIGN(auto offsets, cluster.offsets_at(questions));
  if (ends.empty()) return offsets;
  GOPLINE_ASSIGN(auto end_offsets, cluster.offsets_at(ends));
  auto end = end_offsets.begin();
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const auto& position = positions[i].second;
    if (position.kind != StartPosition::Kind::kOffset) continue;
    offsets[i] = std::clamp(position.offset, offsets[i], std::max(offsets[i], *end));
    ++end;
  }
  return offsets;
}

}  // namespace gopline::kafka
