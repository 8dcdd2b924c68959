#include "common/log/null_log.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

#include "common/log/delivery_queue.h"

namespace gopline {
namespace {

constexpr std::uint64_t kMaxRecordBytes = 1ull << 30;

struct NullTopic {
  TopicInfo info;
  std::vector<Offset> ends;
};

struct NullTopics {
  std::mutex mutex;
  std::map<std::string, NullTopic> by_name;

  Result<NullTopic*> find(const std::string& name) {
    auto found = by_name.find(name);
    if (found == by_name.end()) return fail(ErrorCode::kNotFound, "null: has no topic \"{}\"", name);
    return &found->second;
  }
  Result<Offset*> end_of(const TopicPartition& where) {
    GOPLINE_ASSIGN(auto* topic, find(where.topic));
    if (where.partition.value < 0 || where.partition.value >= topic->info.partitions) {
      return fail(ErrorCode::kNotFound, "topic \"{}\" has no partition {}", where.topic, where.partition);
    }
    return &topic->ends[static_cast<std::size_t>(where.partition.value)];
  }
};

class NullWriter final : public LogWriter {
 public:
  NullWriter(NullTopics& topics, const LogWriterOptions& options)
      : topics_(topics), deliveries_(options.max_pending_bytes) {}

  Result<void> append(const TopicPartition& where, NewRecord record, DeliveryCallback on_delivery,
                      StopToken stop) override {
    auto bytes = record_bytes(record);
    if (bytes > kMaxRecordBytes) {
      return fail(ErrorCode::kTooLarge, "a record of {} bytes; at most {}", bytes, kMaxRecordBytes);
    }
    {
      std::lock_guard lock(topics_.mutex);
      GOPLINE_TRY(topics_.end_of(where));
    }
    GOPLINE_ASSIGN(auto share, deliveries_.pending().take(bytes, stop));
    std::lock_guard lock(topics_.mutex);
    auto end = topics_.end_of(where);
    if (!end) {
      deliveries_.push(share, std::move(on_delivery), tl::unexpected<Error>(end.error()));
      return {};
    }
    deliveries_.push(share, std::move(on_delivery), **end);
    **end = (*end)->next();
    return {};
  }

  Result<void> flush() override { return deliveries_.pending().drain(); }

 private:
  NullTopics& topics_;
  DeliveryQueue deliveries_;
};

class NullReader final : public LogReader {
 public:
  explicit NullReader(NullTopics& topics) : topics_(topics) {}

  Result<void> assign(const std::vector<std::pair<TopicPartition, StartPosition>>& partitions) override {
    std::lock_guard lock(topics_.mutex);
    std::vector<TopicPartition> all;
    for (const auto& [where, position] : partitions) {
      GOPLINE_TRY(topics_.end_of(where));
      all.push_back(where);
    }
    assignment_ = std::move(all);
    return {};
  }

  Result<void> subscribe(const std::vector<std::string>& names, StartPosition) override {
    std::lock_guard lock(topics_.mutex);
    std::vector<TopicPartition> all;
    for (const auto& name : names) {
      GOPLINE_ASSIGN(auto* topic, topics_.find(name));
      for (std::int32_t at = 0; at < topic->info.partitions; ++at) all.push_back({name, PartitionId(at)});
    }
    assignment_ = std::move(all);
    return {};
  }

  std::vector<TopicPartition> assignment() const override { return assignment_; }

  Result<std::vector<StoredRecord>> poll(Duration max_wait) override {
    std::unique_lock lock(mutex_);
    woken_up_.wait_for(lock, max_wait, [&] { return woken_; });
    woken_ = false;
    return std::vector<StoredRecord>{};
  }

  void wakeup() override {
    {
      std::lock_guard lock(mutex_);
      woken_ = true;
    }
    woken_up_.notify_all();
  }

  // Everything has expired, so a reader is always at the end.
  Result<Offset> position(const TopicPartition& where) override {
    if (std::find(assignment_.begin(), assignment_.end(), where) == assignment_.end()) {
      return fail(ErrorCode::kNotFound, "partition {} of \"{}\" is not assigned to this reader",
                  where.partition, where.topic);
    }
    std::lock_guard lock(topics_.mutex);
    GOPLINE_ASSIGN(auto* end, topics_.end_of(where));
    return *end;
  }

  Result<std::int64_t> lag(const TopicPartition& where) override {
    GOPLINE_TRY(position(where));
    return 0;
  }

  Result<void> seek(const TopicPartition& where, StartPosition) override {
    std::lock_guard lock(topics_.mutex);
    GOPLINE_TRY(topics_.end_of(where));
    return {};
  }

  Result<void> commit(const TopicPartition& where, Offset next) override {
    committed_[where] = next;
    return {};
  }
  Result<std::optional<Offset>> committed(const TopicPartition& where) override {
    auto found = committed_.find(where);
    if (found == committed_.end()) return std::optional<Offset>{};
    return std::optional<Offset>(found->second);
  }

 private:
  NullTopics& topics_;
  std::vector<TopicPartition> assignment_;
  std::map<TopicPartition, Offset> committed_;
  std::mutex mutex_;
  std::condition_variable woken_up_;
  bool woken_ = false;
};

class NullLog final : public Log {
 public:
  Result<TopicInfo> ensure_topic(const TopicSpec& spec) override {
    if (spec.name.empty() || spec.partitions < 1) {
      return fail(ErrorCode::kInvalidArgument, "topic \"{}\": needs a name and at least one partition",
                  spec.name);
    }
    std::lock_guard lock(topics_.mutex);
    auto [topic, added] = topics_.by_name.try_emplace(spec.name);
    if (added) {
      topic->second.info = {spec.name, spec.partitions, kMaxRecordBytes, spec.retention};
      topic->second.ends.resize(static_cast<std::size_t>(spec.partitions));
    }
    return topic->second.info;
  }

  Result<TopicInfo> describe_topic(const std::string& name) override {
    std::lock_guard lock(topics_.mutex);
    GOPLINE_ASSIGN(auto* topic, topics_.find(name));
    return topic->info;
  }

  Result<std::vector<std::string>> list_topics() override {
    std::lock_guard lock(topics_.mutex);
    std::vector<std::string> names;
    for (const auto& [name, topic] : topics_.by_name) names.push_back(name);
    return names;
  }

  Result<void> add_partitions(const std::string& name, std::int32_t partitions) override {
    std::lock_guard lock(topics_.mutex);
    GOPLINE_ASSIGN(auto* topic, topics_.find(name));
    if (partitions < topic->info.partitions) {
      return fail(ErrorCode::kInvalidArgument, "topic \"{}\" has {} partitions already; it cannot have fewer",
                  name, topic->info.partitions);
    }
    topic->info.partitions = partitions;
    topic->ends.resize(static_cast<std::size_t>(partitions));
    return {};
  }

  Result<void> delete_topic(const std::string& name) override {
    std::lock_guard lock(topics_.mutex);
    GOPLINE_TRY(topics_.find(name));
    topics_.by_name.erase(name);
    return {};
  }

  // Everything written has expired at once.
  Result<OffsetRange> offsets(const TopicPartition& where) override {
    std::lock_guard lock(topics_.mutex);
    GOPLINE_ASSIGN(auto* end, topics_.end_of(where));
    return OffsetRange{*end, *end};
  }

  Result<void> apply_retention() override { return {}; }

  Result<std::unique_ptr<LogWriter>> make_writer(LogWriterOptions options) override {
    return std::make_unique<NullWriter>(topics_, options);
  }
  Result<std::unique_ptr<LogReader>> make_reader(LogReaderOptions) override {
    return std::make_unique<NullReader>(topics_);
  }
  bool reads_headers_alone() const override { return true; }
  std::string describe() const override { return "null:"; }

 private:
  NullTopics topics_;
};

}  // namespace

std::unique_ptr<Log> make_null_log() {
  return std::make_unique<NullLog>();
}

}  // namespace gopline
