#include <algorithm>

#include "common/log/embedded/embedded_reader.h"
#include "common/log/embedded/layout.h"
#include "common/log/embedded/record_codec.h"
#include "common/log/embedded/retention.h"

// Records and a group's offsets in one transaction of the catalogue.
namespace gopline::embedded {
namespace {

constexpr std::size_t kMostValueBytes = 1 << 20;

}  // namespace

Result<void> EmbeddedReader::publish_and_commit(const std::vector<RecordToPublish>& records,
                                                const std::map<TopicPartition, Offset>& next) {
  GOPLINE_TRY(may_commit("publish_and_commit()"));
  for (const auto& [where, record] : records) {
    if (record.value && record.value->size() > kMostValueBytes) {
      return fail(ErrorCode::kTooLarge, "a record of {} bytes for \"{}\": transactions take {}",
                  record.value->size(), where.topic, kMostValueBytes);
    }
  }
  GOPLINE_ASSIGN(auto transaction, sqlite::WriteTransaction::begin(database_, log_->write_turn));
  auto now = log_->options.clock->now();
  GOPLINE_TRY(group_rows_.remove_dead(now));
  for (const auto& [where, offset] : next) GOPLINE_TRY(commit_within(where, offset));
  std::map<TopicPartition, PartitionRow> partitions;
  for (const auto& [where, record] : records) {
    if (!partitions.contains(where)) {
      GOPLINE_ASSIGN(partitions[where], find_partition(where));
    }
    GOPLINE_TRY(insert(record, partitions[where]));
  }
  DeadSpace dead;
  GOPLINE_ASSIGN(auto retention, RetentionRun::prepare(database_));
  for (auto& [where, partition] : partitions) {
    GOPLINE_ASSIGN(auto topic, topic_rows_.find(where.topic));
    if (topic && !topic->retention.compacted)
      GOPLINE_TRY(retention.apply(topic->retention, partition, now, kMostRemovedPerCommit, dead));
    GOPLINE_TRY(topic_rows_.update(partition));
  }
  GOPLINE_TRY(transaction.commit());
  log_->tail->touch();
  dead.release(*log_->options.file_system, log_->options.directory);
  return {};
}

Result<void> EmbeddedReader::insert(const NewRecord& record, PartitionRow& partition) {
  auto offset = partition.range.end;
  auto headers = encode_headers(record.headers);
  NewRow row;
  row.id = record_id(partition.id, offset);
  row.timestamp_us = record.timestamp.time_since_epoch().count();
  partition.latest_us = std::max(partition.latest_us, row.timestamp_us);
  row.latest_us = partition.latest_us;
  row.key = record.key;
  row.headers = headers;
  auto bytes = record.key.size() + headers.size();
  Buffer value;
  if (record.value) {
    value = record.value->flatten();
    row.size = static_cast<std::int64_t>(value.size());
    row.checksum = checksum_of(value.bytes());
    row.value = sqlite::Blob{value.text()};
    bytes += value.size();
  }
  row.bytes = static_cast<std::int64_t>(bytes);
  GOPLINE_TRY(record_rows_.insert(row));
  partition.range.end = offset.next();
  partition.bytes += bytes;
  ++partition.uncompacted;
  return {};
}

}  // namespace gopline::embedded
