#include "analyzer/event_log.h"

#include "common/base/logging.h"
#include "common/log/atomic_publish.h"

namespace gopline::analyzer {

Result<std::unique_ptr<EventLog>> EventLog::open(Log& log, const Clock& clock, const record::Topics& topics) {
  std::unique_ptr<EventLog> events(new EventLog(log, clock, topics));
  GOPLINE_ASSIGN(auto segments, log.describe_topic(topics.segments));
  GOPLINE_ASSIGN(auto event_topic, log.ensure_topic({topics.events, segments.partitions, {}, true}));
  GOPLINE_ASSIGN(auto dead_topic, log.ensure_topic({topics.dead, segments.partitions, {}, true}));
  events->event_partitions_ = event_topic.partitions;
  events->dead_partitions_ = dead_topic.partitions;
  return events;
}

NewRecord EventLog::record_of(record::Encoded encoded) const {
  return {std::move(encoded.key), BufferChain(std::move(encoded.value)), std::move(encoded.headers),
          clock_.now()};
}

Result<void> EventLog::write(LogReader& group, const TopicPartition& from,
                             const std::vector<record::Detection>& events,
                             const std::vector<record::DeadLetter>& letters, std::optional<Offset> next) {
  if (events.empty() && letters.empty()) return next ? group.commit(from, *next) : Result<void>();
  // A stream keeps its partition's number: its events stay in order, whatever becomes of the others.
  TopicPartition events_to{topics_.events, PartitionId(from.partition.value % event_partitions_)};
  TopicPartition dead_to{topics_.dead, PartitionId(from.partition.value % dead_partitions_)};
  std::vector<RecordToPublish> records;
  for (const auto& event : events) records.push_back({events_to, record_of(record::encode(event))});
  for (const auto& letter : letters) records.push_back({dead_to, record_of(record::encode(letter))});
  std::map<TopicPartition, Offset> offsets;
  if (next) offsets[from] = *next;
  if (atomic_) {
    auto published = publish_and_commit(group, records, offsets);
    if (published || published.error().code != ErrorCode::kUnsupported) return published;
    atomic_ = false;
    log_warning(from.topic,
                "events and offsets cannot be written as one here ({}): after a crash an event may be there "
                "twice, with the same id",
                published.error().message);
  }
  if (!writer_) {
    GOPLINE_ASSIGN(writer_, log_.make_writer({}));
  }
  for (auto& record : records) GOPLINE_TRY(writer_->append(record.where, std::move(record.record), {}));
  GOPLINE_TRY(writer_->flush());
  return next ? group.commit(from, *next) : Result<void>();
}

}  // namespace gopline::analyzer
