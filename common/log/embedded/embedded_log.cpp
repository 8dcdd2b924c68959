#include "common/log/embedded/embedded_log.h"

#include <map>
#include <mutex>

#include "common/base/logging.h"
#include "common/log/embedded/catalogue_schema.h"
#include "common/log/embedded/commit_pipeline.h"
#include "common/log/embedded/embedded_reader.h"
#include "common/log/embedded/layout.h"
#include "common/log/embedded/log_parts.h"
#include "common/log/embedded/session.h"

namespace gopline {
namespace embedded {
namespace {

constexpr std::int64_t kRemovedAtOnce = 20'000;

class EmbeddedLog;

class EmbeddedWriter final : public LogWriter {
 public:
  EmbeddedWriter(EmbeddedLog& log, const LogWriterOptions& options)
      : log_(log), pending_(std::make_shared<PendingBytes>(options.max_pending_bytes)) {}
  ~EmbeddedWriter() override { (void)pending_->drain(); }

  Result<void> append(const TopicPartition& where, NewRecord record, DeliveryCallback on_delivery,
                      StopToken stop) override;
  Result<void> flush() override { return pending_->drain(); }

 private:
  EmbeddedLog& log_;
  std::shared_ptr<PendingBytes> pending_;
};

class EmbeddedLog final : public Log {
 public:
  explicit EmbeddedLog(EmbeddedLogOptions options) : parts_(std::make_shared<LogParts>(std::move(options))) {}
  Result<void> open();

  Result<TopicInfo> ensure_topic(const TopicSpec& spec) override;
  Result<TopicInfo> describe_topic(const std::string& name) override;
  Result<std::vector<std::string>> list_topics() override;
  Result<void> add_partitions(const std::string& name, std::int32_t partitions) override;
  Result<void> delete_topic(const std::string& name) override;
  Result<OffsetRange> offsets(const TopicPartition& where) override;
  Result<void> apply_retention() override;
  Result<std::unique_ptr<LogWriter>> make_writer(LogWriterOptions options) override;
  Result<std::unique_ptr<LogReader>> make_reader(LogReaderOptions options) override;
  bool reads_headers_alone() const override { return true; }
  std::string describe() const override { return parts_->options.directory; }

  // The topic's row, for a partition that exists. From memory when it can be.
  Result<std::int64_t> admit(const TopicPartition& where, std::size_t bytes);
  void push(Appended appended) { pipeline_->push(std::move(appended)); }

 private:
  const EmbeddedLogOptions& options() const { return parts_->options; }
  TopicInfo info_of(const TopicRow& row) const {
    return {row.name, row.partitions, options().max_record_bytes, row.retention};
  }
  Result<void> require_writable() const;
  Result<TopicRow> find(const std::string& name);
  void forget(const std::string& name);

  const std::shared_ptr<LogParts> parts_;
  std::mutex mutex_;  // the connection and what goes with it
  sqlite::Database database_;
  TopicRows topics_;
  std::mutex known_mutex_;
  std::map<std::string, TopicRow> known_;  // may be behind what other processes did: then committing notices
  std::unique_ptr<Session> session_;
  std::mutex pipeline_mutex_;
  std::unique_ptr<CommitPipeline> pipeline_;  // last: ends before what it uses
};

Result<void> EmbeddedLog::open() {
  GOPLINE_ASSIGN(database_, open_catalogue(options()));
  GOPLINE_ASSIGN(topics_, TopicRows::prepare(database_));
  auto tail = tail_path(options().directory);
  if (options().read_only) {
    parts_->tail = std::make_unique<Tail>(tail, nullptr);
    return {};
  }
  GOPLINE_ASSIGN(auto tail_file, options().file_system->open(tail, FileSystem::Open::kCreate));
  parts_->tail = std::make_unique<Tail>(tail, std::move(tail_file));
  GOPLINE_ASSIGN(session_, Session::begin(options().file_system, options().directory));
  GOPLINE_TRY(
      recover_dead_sessions(*options().file_system, options().directory, database_, parts_->write_turn));
  return {};
}

Result<void> EmbeddedLog::require_writable() const {
  if (!options().read_only) return {};
  return fail(ErrorCode::kPermissionDenied, "{}: opened for reading only", options().directory);
}

Result<TopicRow> EmbeddedLog::find(const std::string& name) {
  GOPLINE_ASSIGN(auto row, topics_.find(name));
  if (!row) return fail(ErrorCode::kNotFound, "{}: has no topic \"{}\"", options().directory, name);
  std::lock_guard lock(known_mutex_);
  return known_[name] = *row;
}

void EmbeddedLog::forget(const std::string& name) {
  std::lock_guard lock(known_mutex_);
  known_.erase(name);
}

Result<std::int64_t> EmbeddedLog::admit(const TopicPartition& where, std::size_t bytes) {
  if (bytes > options().max_record_bytes) {
    return fail(ErrorCode::kTooLarge, "{}: a record of {} bytes for topic \"{}\", which takes at most {}",
                options().directory, bytes, where.topic, options().max_record_bytes);
  }
  {
    std::lock_guard lock(known_mutex_);
    auto known = known_.find(where.topic);
    if (known != known_.end() && where.partition.value >= 0 &&
        where.partition.value < known->second.partitions) {
      return known->second.id;
    }
  }
  std::lock_guard lock(mutex_);
  GOPLINE_ASSIGN(auto row, find(where.topic));
  if (where.partition.value < 0 || where.partition.value >= row.partitions) {
    return fail(ErrorCode::kNotFound, "{}: topic \"{}\" has no partition {}: it has {}", options().directory,
                where.topic, where.partition, row.partitions);
  }
  return row.id;
}

Result<TopicInfo> EmbeddedLog::ensure_topic(const TopicSpec& spec) {
  if (spec.name.empty() || spec.partitions < 1) {
    return fail(ErrorCode::kInvalidArgument, "topic \"{}\": needs a name and at least one partition",
                spec.name);
  }
  std::lock_guard lock(mutex_);
  GOPLINE_ASSIGN(auto present, topics_.find(spec.name));
  if (present) return info_of(*present);
  GOPLINE_TRY(require_writable());
  GOPLINE_ASSIGN(auto transaction, sqlite::WriteTransaction::begin(database_, parts_->write_turn));
  GOPLINE_ASSIGN(auto meanwhile, topics_.find(spec.name));
  if (!meanwhile) GOPLINE_TRY(topics_.create(spec));
  GOPLINE_TRY(transaction.commit());
  parts_->tail->touch();
  GOPLINE_ASSIGN(auto row, find(spec.name));
  return info_of(row);
}

Result<TopicInfo> EmbeddedLog::describe_topic(const std::string& name) {
  std::lock_guard lock(mutex_);
  GOPLINE_ASSIGN(auto row, find(name));
  return info_of(row);
}

Result<std::vector<std::string>> EmbeddedLog::list_topics() {
  std::lock_guard lock(mutex_);
  GOPLINE_ASSIGN(auto rows, topics_.all());
  std::vector<std::string> names;
  for (auto& row : rows) names.push_back(std::move(row.name));
  return names;
}

Result<void> EmbeddedLog::add_partitions(const std::string& name, std::int32_t partitions) {
  GOPLINE_TRY(require_writable());
  std::lock_guard lock(mutex_);
  GOPLINE_ASSIGN(auto transaction, sqlite::WriteTransaction::begin(database_, parts_->write_turn));
  GOPLINE_ASSIGN(auto row, find(name));
  if (partitions < row.partitions) {
    return fail(ErrorCode::kInvalidArgument,
                "{}: topic \"{}\" has {} partitions already; it cannot have fewer", options().directory, name,
                row.partitions);
  }
  GOPLINE_TRY(topics_.grow(row, partitions));
  GOPLINE_TRY(transaction.commit());
  forget(name);
  parts_->tail->touch();
  return {};
}

Result<void> EmbeddedLog::delete_topic(const std::string& name) {
  GOPLINE_TRY(require_writable());
  std::lock_guard lock(mutex_);
  DeadSpace dead;
  {
    GOPLINE_ASSIGN(auto transaction, sqlite::WriteTransaction::begin(database_, parts_->write_turn));
    GOPLINE_ASSIGN(auto row, find(name));
    GOPLINE_ASSIGN(auto files, topics_.remove(row));
    for (auto& file : files) dead.add_file(std::move(file));
    GOPLINE_TRY(transaction.commit());
  }
  forget(name);
  dead.release(*options().file_system, options().directory);
  parts_->tail->touch();
  return {};
}

Result<OffsetRange> EmbeddedLog::offsets(const TopicPartition& where) {
  std::lock_guard lock(mutex_);
  GOPLINE_ASSIGN(auto topic, find(where.topic));
  GOPLINE_ASSIGN(auto partition, topics_.partition(topic.id, where.partition.value));
  if (!partition) {
    return fail(ErrorCode::kNotFound, "{}: topic \"{}\" has no partition {}: it has {}", options().directory,
                where.topic, where.partition, topic.partitions);
  }
  return partition->range;
}

// In transactions of a bounded size, so that writers get their turn in between.
Result<void> EmbeddedLog::apply_retention() {
  GOPLINE_TRY(require_writable());
  std::lock_guard lock(mutex_);
  GOPLINE_ASSIGN(auto run, RetentionRun::prepare(database_));
  GOPLINE_ASSIGN(auto all, topics_.all());
  for (const auto& topic : all) {
    for (std::int32_t number = 0; number < topic.partitions; ++number) {
      bool more = true;
      while (more) {
        DeadSpace dead;
        GOPLINE_ASSIGN(auto transaction, sqlite::WriteTransaction::begin(database_, parts_->write_turn));
        GOPLINE_ASSIGN(auto partition, topics_.partition(topic.id, number));
        if (!partition) break;
        GOPLINE_ASSIGN(more,
                       run.apply(topic.retention, *partition, options().clock->now(), kRemovedAtOnce, dead));
        GOPLINE_TRY(topics_.update(*partition));
        GOPLINE_TRY(transaction.commit());
        dead.release(*options().file_system, options().directory);
      }
    }
  }
  return {};
}

Result<std::unique_ptr<LogWriter>> EmbeddedLog::make_writer(LogWriterOptions options) {
  GOPLINE_TRY(require_writable());
  std::lock_guard lock(pipeline_mutex_);
  if (!pipeline_) {
    CommitPipeline::Parts parts;
    parts.options = &parts_->options;
    parts.session = session_->name();
    parts.write_turn = &parts_->write_turn;
    parts.tail = parts_->tail.get();
    parts.on_topic_gone = [this](const std::string& name) { forget(name); };
    parts.on_unclean_end = [this] { session_->leave_for_recovery(); };
    GOPLINE_ASSIGN(pipeline_, CommitPipeline::start(parts));
  }
  return std::make_unique<EmbeddedWriter>(*this, options);
}

Result<std::unique_ptr<LogReader>> EmbeddedLog::make_reader(LogReaderOptions options) {
  return EmbeddedReader::make(parts_, std::move(options));
}

Result<void> EmbeddedWriter::append(const TopicPartition& where, NewRecord record,
                                    DeliveryCallback on_delivery, StopToken stop) {
  auto bytes = record_bytes(record);
  GOPLINE_ASSIGN(auto topic, log_.admit(where, bytes));
  GOPLINE_ASSIGN(auto share, pending_->take(bytes, stop));
  Appended appended;
  appended.topic = topic;
  appended.where = where;
  appended.record = std::move(record);
  appended.on_delivery = std::move(on_delivery);
  appended.share = share;
  appended.pending = pending_;
  log_.push(std::move(appended));
  return {};
}

}  // namespace
}  // namespace embedded

Result<std::unique_ptr<Log>> open_embedded_log(EmbeddedLogOptions options) {
  while (options.directory.size() > 1 && options.directory.back() == '/') options.directory.pop_back();
  auto log = std::make_unique<embedded::EmbeddedLog>(std::move(options));
  GOPLINE_TRY(log->open());
  return std::unique_ptr<Log>(std::move(log));
}

}  // namespace gopline
