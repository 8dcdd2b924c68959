#include "common/log/memory_log.h"

#include <algorithm>
#include <set>

#include "common/log/memory_state.h"

namespace gopline {
namespace {

std::size_t stored_bytes(const StoredRecord& record) {
  auto bytes = record.key.size() + (record.value ? record.value->size() : 0);
  for (const auto& header : record.headers) bytes += header.name.size() + header.value.size();
  return bytes;
}

class MemoryWriter final : public LogWriter {
 public:
  MemoryWriter(std::shared_ptr<MemoryLogState> state, const LogWriterOptions& options)
      : state_(std::move(state)), deliveries_(options.max_pending_bytes) {
    std::lock_guard lock(state_->mutex);
    state_->deliveries.insert(&deliveries_);
    deliveries_.hold(state_->held);
  }

  ~MemoryWriter() override {
    std::lock_guard lock(state_->mutex);
    state_->deliveries.erase(&deliveries_);
  }

  Result<void> append(const TopicPartition& where, NewRecord record, DeliveryCallback on_delivery,
                      StopToken stop) override {
    auto bytes = record_bytes(record);
    GOPLINE_TRY(admit(where, bytes));
    GOPLINE_ASSIGN(auto share, deliveries_.pending().take(bytes, stop));
    std::lock_guard lock(state_->mutex);
    deliveries_.push(share, std::move(on_delivery), store(where, std::move(record)));
    return {};
  }

  Result<void> flush() override { return deliveries_.pending().drain(); }

 private:
  Result<void> admit(const TopicPartition& where, std::size_t bytes) {
    std::lock_guard lock(state_->mutex);
    if (auto error = state_->reject_appends.take()) return tl::unexpected<Error>(*error);
    GOPLINE_TRY(state_->find_partition(where));
    if (bytes > state_->options.max_record_bytes) {
      return fail(ErrorCode::kTooLarge, "a record of {} bytes for topic \"{}\", which takes at most {}",
                  bytes, where.topic, state_->options.max_record_bytes);
    }
    return {};
  }

  // With the state's mutex held.
  Result<Offset> store(const TopicPartition& where, NewRecord record) {
    GOPLINE_TRY(state_->find_partition(where));  // the topic may have gone while this waited for room
    if (auto error = state_->fail_appends.take()) return tl::unexpected<Error>(*error);
    auto offset = state_->store(**state_->find_topic(where.topic), where, std::move(record));
    if (auto error = state_->lose_acknowledgements.take()) return tl::unexpected<Error>(*error);
    return offset;
  }

  std::shared_ptr<MemoryLogState> state_;
  DeliveryQueue deliveries_;
};

}  // namespace

std::deque<StoredRecord>::iterator MemoryPartition::at_or_after(Offset offset) {
  return std::lower_bound(records.begin(), records.end(), offset,
                          [](const StoredRecord& record, Offset wanted) { return record.offset < wanted; });
}

StoredRecord* MemoryPartition::find(Offset offset) {
  auto found = at_or_after(offset);
  return found != records.end() && found->offset == offset ? &*found : nullptr;
}

Result<MemoryTopic*> MemoryLogState::find_topic(const std::string& name) {
  auto found = topics.find(name);
  if (found == topics.end()) return fail(ErrorCode::kNotFound, "the log has no topic \"{}\"", name);
  return &found->second;
}

Result<MemoryPartition*> MemoryLogState::find_partition(const TopicPartition& where) {
  GOPLINE_ASSIGN(auto* topic, find_topic(where.topic));
  if (where.partition.value < 0 || where.partition.value >= topic->info.partitions) {
    return fail(ErrorCode::kNotFound, "topic \"{}\" has no partition {}: it has {}", where.topic,
                where.partition, topic->info.partitions);
  }
  return &topic->partitions[static_cast<std::size_t>(where.partition.value)];
}

Offset MemoryLogState::store(MemoryTopic& topic, const TopicPartition& where, NewRecord record) {
  auto& partition = topic.partitions[static_cast<std::size_t>(where.partition.value)];
  StoredRecord stored{
      where, partition.end, record.timestamp, std::move(record.key), std::nullopt, std::move(record.headers),
      0,     std::nullopt};
  if (record.value) stored.value = record.value->flatten();
  stored.pinned_bytes = stored.value ? stored.value->size() : 0;
  partition.records.push_back(std::move(stored));
  auto offset = partition.end;
  partition.end = partition.end.next();
  if (!topic.info.retention.compacted) apply_retention(topic, partition);
  changed.notify_all();
  return offset;
}

void MemoryLogState::apply_retention(const MemoryTopic& topic, MemoryPartition& partition) const {
  const auto& retention = topic.info.retention;
  if (retention.compacted) return compact(partition);
  std::uint64_t bytes = 0;
  for (const auto& record : partition.records) bytes += stored_bytes(record);
  auto expired = [&](const StoredRecord& oldest) {
    if (retention.age && oldest.timestamp < options.clock->now() - *retention.age) return true;
    return retention.bytes && bytes - stored_bytes(oldest) >= *retention.bytes;
  };
  while (!partition.records.empty() && expired(partition.records.front())) {
    bytes -= stored_bytes(partition.records.front());
    partition.records.pop_front();
    partition.begin = partition.records.empty() ? partition.end : partition.records.front().offset;
  }
}

void MemoryLogState::compact(MemoryPartition& partition) const {
  std::set<std::string> newer;
  std::deque<StoredRecord> kept;
  for (auto record = partition.records.rbegin(); record != partition.records.rend(); ++record) {
    bool newest = newer.insert(record->key).second;
    bool forgotten = !record->value && record->timestamp < options.clock->now() - kTombstoneLifetime;
    if (newest && !forgotten) kept.push_front(std::move(*record));
  }
  partition.records = std::move(kept);
}

void MemoryLogState::remove_dead_members(MemoryGroup& group) const {
  std::erase_if(group.members, [&](const auto& entry) {
    const auto& member = entry.second;
    return member.polling == 0 && options.clock->steady_now() - member.last_seen > member.session_timeout;
  });
  std::erase_if(group.owners, [&](const auto& entry) { return !group.members.contains(entry.second); });
}

MemoryLog::MemoryLog(MemoryLogOptions options)
    : state_(std::make_shared<MemoryLogState>(std::move(options))) {}
MemoryLog::~MemoryLog() = default;

Result<TopicInfo> MemoryLog::ensure_topic(const TopicSpec& spec) {
  if (spec.name.empty() || spec.partitions < 1) {
    return fail(ErrorCode::kInvalidArgument, "topic \"{}\": needs a name and at least one partition",
                spec.name);
  }
  std::lock_guard lock(state_->mutex);
  auto [topic, added] = state_->topics.try_emplace(spec.name);
  if (added) {
    topic->second.id = state_->next_id++;
    topic->second.info = {spec.name, spec.partitions, state_->options.max_record_bytes, spec.retention};
    topic->second.partitions.resize(static_cast<std::size_t>(spec.partitions));
    state_->changed.notify_all();
  }
  return topic->second.info;
}

Result<TopicInfo> MemoryLog::describe_topic(const std::string& name) {
  std::lock_guard lock(state_->mutex);
  GOPLINE_ASSIGN(auto* topic, state_->find_topic(name));
  return topic->info;
}

Result<std::vector<std::string>> MemoryLog::list_topics() {
  std::lock_guard lock(state_->mutex);
  std::vector<std::string> names;
  for (const auto& [name, topic] : state_->topics) names.push_back(name);
  return names;
}

Result<void> MemoryLog::add_partitions(const std::string& name, std::int32_t partitions) {
  std::lock_guard lock(state_->mutex);
  GOPLINE_ASSIGN(auto* topic, state_->find_topic(name));
  if (partitions < topic->info.partitions) {
    return fail(ErrorCode::kInvalidArgument, "topic \"{}\" has {} partitions already; it cannot have fewer",
                name, topic->info.partitions);
  }
  topic->info.partitions = partitions;
  topic->partitions.resize(static_cast<std::size_t>(partitions));
  state_->changed.notify_all();
  return {};
}

Result<void> MemoryLog::delete_topic(const std::string& name) {
  std::lock_guard lock(state_->mutex);
  GOPLINE_TRY(state_->find_topic(name));
  state_->topics.erase(name);
  for (auto& [group_name, group] : state_->groups) {
    std::erase_if(group.committed, [&](const auto& entry) { return entry.first.topic == name; });
  }
  state_->changed.notify_all();
  return {};
}

Result<OffsetRange> MemoryLog::offsets(const TopicPartition& where) {
  std::lock_guard lock(state_->mutex);
  GOPLINE_ASSIGN(auto* partition, state_->find_partition(where));
  return OffsetRange{partition->begin, partition->end};
}

Result<void> MemoryLog::apply_retention() {
  std::lock_guard lock(state_->mutex);
  for (auto& [name, topic] : state_->topics) {
    for (auto& partition : topic.partitions) state_->apply_retention(topic, partition);
  }
  return {};
}

Result<std::unique_ptr<LogWriter>> MemoryLog::make_writer(LogWriterOptions options) {
  return std::make_unique<MemoryWriter>(state_, options);
}

Result<std::unique_ptr<LogReader>> MemoryLog::make_reader(LogReaderOptions options) {
  return make_memory_reader(state_, std::move(options));
}

bool MemoryLog::reads_headers_alone() const {
  return state_->options.reads_headers_alone;
}

std::vector<StoredRecord> MemoryLog::records(const TopicPartition& where) const {
  std::lock_guard lock(state_->mutex);
  auto partition = state_->find_partition(where);
  if (!partition) return {};
  return {(*partition)->records.begin(), (*partition)->records.end()};
}

}  // namespace gopline
