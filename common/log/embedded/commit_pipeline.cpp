#include "common/log/embedded/commit_pipeline.h"

#include <algorithm>

#include "common/base/logging.h"
#include "common/log/embedded/catalogue_schema.h"
#include "common/log/embedded/layout.h"
#include "common/log/embedded/record_codec.h"

namespace gopline::embedded {
namespace {

// Small records are handed on in groups, a large one at once: its sync takes longer than the next one's
// copying.
constexpr std::size_t kHandOnBytes = 256 << 10;
// What a sync is worth waiting for while more is being written: it costs as much as writing a megabyte.
constexpr std::size_t kBytesWorthASync = 8 << 20;
constexpr std::size_t kMostBytesPerCommit = 16 << 20;
constexpr std::size_t kMostRecordsPerCommit = 8192;
constexpr std::int64_t kCompactAfter = 4096;
constexpr auto kSweepEvery = std::chrono::seconds(10);

Error with_advice(Error error) {
  if (error.code == ErrorCode::kOutOfSpace && error.message.find("free space") == std::string::npos) {
    error.message += "; free space on this disk, or shorten the retention";
  }
  return error;
}

}  // namespace

struct CommitPipeline::Transaction {
  struct Growth {
    std::int64_t records = 0;
    std::uint64_t length = 0;
  };
  Timestamp now;
  std::map<std::pair<std::int64_t, std::int32_t>, PartitionRow> partitions;
  std::map<std::int64_t, TopicRow> topics;
  std::map<std::shared_ptr<PayloadFile>, Growth> files;
  std::vector<PayloadFile*> new_rows;  // to be taken back if the transaction fails
  std::vector<std::shared_ptr<PayloadFile>> sealed;
  DeadSpace dead;
};

CommitPipeline::CommitPipeline(const Parts& parts)
    : parts_(parts), values_(*parts.options, parts.session), to_write_(0), to_commit_(kBytesWorthASync) {}

Result<std::unique_ptr<CommitPipeline>> CommitPipeline::start(const Parts& parts) {
  std::unique_ptr<CommitPipeline> pipeline(new CommitPipeline(parts));
  GOPLINE_TRY(pipeline->prepare());
  pipeline->writing_ = std::thread([raw = pipeline.get()] { raw->write_values(); });
  pipeline->committing_ = std::thread([raw = pipeline.get()] { raw->commit_batches(); });
  return pipeline;
}

CommitPipeline::~CommitPipeline() {
  if (!writing_.joinable()) return;
  to_write_.end();
  writing_.join();
  to_commit_.end();
  committing_.join();
}

Result<void> CommitPipeline::prepare() {
  GOPLINE_ASSIGN(database_, connect_catalogue(*parts_.options));
  GOPLINE_ASSIGN(topics_, TopicRows::prepare(database_));
  GOPLINE_ASSIGN(records_, RecordRows::prepare(database_));
  GOPLINE_ASSIGN(retention_, RetentionRun::prepare(database_));
  GOPLINE_ASSIGN(add_file_,
                 database_.prepare("INSERT INTO files (name, topic, session, length, records, sealed)"
                                   " VALUES (?, ?, ?, 0, 0, 0)"));
  GOPLINE_ASSIGN(
      grow_file_,
      database_.prepare("UPDATE files SET records = records + ?, length = max(length, ?) WHERE id = ?"));
  GOPLINE_ASSIGN(seal_file_, database_.prepare("UPDATE files SET sealed = 1 WHERE id = ?"));
  last_sweep_ = parts_.options->clock->steady_now();
  return {};
}

void CommitPipeline::push(Appended appended) {
  to_write_.give(std::move(appended));
}

void CommitPipeline::write_values() {
  while (true) {
    auto batch = to_write_.take();
    if (batch.empty()) break;
    Batch done;
    std::size_t bytes = 0;
    while (!batch.empty()) {
      auto appended = std::move(batch.front());
      batch.pop_front();
      write_value(appended);
      bytes += appended.share.bytes;
      done.push_back(std::move(appended));
      if (bytes < kHandOnBytes) continue;
      to_commit_.give(std::exchange(done, {}));
      bytes = 0;
    }
    if (!done.empty()) to_commit_.give(std::move(done));
    if (to_write_.empty()) to_commit_.pause();
  }
  values_.close();
}

void CommitPipeline::write_value(Appended& appended) {
  const auto& value = appended.record.value;
  if (!value) return;
  const auto& known = appended.record.value_xxh3;
  appended.checksum = known.empty() ? checksum_of(*value) : checksum_from_hex(known);
  if (value->size() <= parts_.options->inline_bytes) return;
  auto written = values_.write(appended.topic, *value);
  if (written) {
    appended.written = std::move(*written);
  } else {
    appended.failed = true;
    appended.outcome = tl::unexpected<Error>(with_advice(written.error()));
  }
}

void CommitPipeline::commit_batches() {
  while (true) {
    auto waiting = to_commit_.take();
    if (waiting.empty()) break;
    while (!waiting.empty()) {
      auto batch = next_batch(waiting);
      commit(batch);
    }
  }
  seal_remaining_files();
}

// Not everything at once: what is acknowledged early makes room for the writing thread to go on meanwhile,
// and other processes get their turn at the catalogue.
CommitPipeline::Batch CommitPipeline::next_batch(Batch& waiting) {
  Batch batch;
  std::size_t bytes = 0;
  while (!waiting.empty() && bytes < kMostBytesPerCommit && batch.size() < kMostRecordsPerCommit) {
    bytes += waiting.front().share.bytes;
    batch.push_back(std::move(waiting.front()));
    waiting.pop_front();
  }
  return batch;
}

// Bytes, then rows, then the acknowledgement.
void CommitPipeline::commit(Batch& batch) {
  sync_files(batch);
  Transaction changes;
  changes.now = parts_.options->clock->now();
  auto committed = insert(batch, changes);
  if (!committed) {
    for (auto* file : changes.new_rows) file->row = 0;
    for (auto& appended : batch) {
      if (!appended.failed) appended.outcome = tl::unexpected<Error>(with_advice(committed.error()));
    }
  } else {
    for (const auto& [file, growth] : changes.files) live_files_.insert(file);
    for (const auto& file : changes.sealed) live_files_.erase(file);
    parts_.tail->touch();
  }
  deliver(batch);
  if (committed) changes.dead.release(*parts_.options->file_system, parts_.options->directory);
}

void CommitPipeline::sync_files(Batch& batch) {
  std::map<PayloadFile*, Result<void>> synced;
  bool new_names = false;
  for (auto& appended : batch) {
    auto* file = appended.written.file.get();
    if (!file || synced.contains(file)) continue;
    synced[file] = file->file->sync();
    new_names = new_names || !file->name_synced;
  }
  Result<void> names;
  if (new_names) {
    names = parts_.options->file_system->sync_directory(payload_directory(parts_.options->directory));
  }
  for (auto& [file, outcome] : synced) {
    if (outcome && !file->name_synced) outcome = names;
    if (outcome) {
      file->name_synced = true;
    } else {
      // The kernel may have dropped what it could not write, and says so only once.
      file->abandoned = true;
    }
  }
  for (auto& appended : batch) {
    auto* file = appended.written.file.get();
    if (!file || synced[file]) continue;
    appended.failed = true;
    appended.outcome = tl::unexpected<Error>(with_advice(synced[file].error()));
  }
}

Result<void> CommitPipeline::insert(Batch& batch, Transaction& changes) {
  if (std::all_of(batch.begin(), batch.end(), [](const Appended& appended) { return appended.failed; }))
    return {};
  GOPLINE_ASSIGN(auto transaction, sqlite::WriteTransaction::begin(database_, *parts_.write_turn));
  for (auto& appended : batch) {
    if (!appended.failed) GOPLINE_TRY(insert_one(appended, changes));
  }
  GOPLINE_TRY(update_files(changes));
  GOPLINE_TRY(apply_retention(changes));
  for (const auto& [where, partition] : changes.partitions) GOPLINE_TRY(topics_.update(partition));
  GOPLINE_TRY(sweep(changes));
  return transaction.commit();
}

Result<PartitionRow*> CommitPipeline::partition_of(const Appended& appended, Transaction& changes) {
  auto key = std::pair(appended.topic, appended.where.partition.value);
  if (auto known = changes.partitions.find(key); known != changes.partitions.end()) return &known->second;
  GOPLINE_ASSIGN(auto topic, topics_.find(appended.where.topic));
  if (!topic || topic->id != appended.topic) return nullptr;
  GOPLINE_ASSIGN(auto partition, topics_.partition(appended.topic, appended.where.partition.value));
  if (!partition) return nullptr;
  changes.topics[topic->id] = *topic;
  return &changes.partitions.emplace(key, *partition).first->second;
}

Result<void> CommitPipeline::insert_one(Appended& appended, Transaction& changes) {
  GOPLINE_ASSIGN(auto* partition, partition_of(appended, changes));
  if (!partition) {
    appended.failed = true;
    appended.outcome =
        fail(ErrorCode::kNotFound, "topic \"{}\" was deleted while a record was on its way to it",
             appended.where.topic);
    parts_.on_topic_gone(appended.where.topic);
    return {};
  }
  const auto& record = appended.record;
  auto offset = partition->range.end;
  auto timestamp = record.timestamp.time_since_epoch().count();
  partition->latest_us = std::max(partition->latest_us, std::int64_t{timestamp});

  auto headers = encode_headers(record.headers);
  NewRow row;
  row.id = record_id(partition->id, offset);
  row.timestamp_us = timestamp;
  row.latest_us = partition->latest_us;
  row.key = record.key;
  row.headers = headers;
  row.bytes = static_cast<std::int64_t>(appended.share.bytes);
  Buffer small;
  if (record.value) {
    row.size = static_cast<std::int64_t>(record.value->size());
    row.checksum = appended.checksum;
    if (const auto& file = appended.written.file) {
      GOPLINE_ASSIGN(row.file, file_row(*file, changes));
      row.position = static_cast<std::int64_t>(appended.written.position);
      auto& growth = changes.files[file];
      ++growth.records;
      growth.length = std::max(growth.length, appended.written.position + record.value->size());
    } else {
      small = record.value->flatten();
      row.value = sqlite::Blob{small.text()};
    }
  }
  GOPLINE_TRY(records_.insert(row));
  partition->range.end = offset.next();
  partition->bytes += appended.share.bytes;
  ++partition->uncompacted;
  appended.outcome = offset;
  return {};
}

Result<std::int64_t> CommitPipeline::file_row(PayloadFile& file, Transaction& changes) {
  if (file.row == 0) {
    GOPLINE_TRY(add_file_.bind(file.name, file.topic, parts_.session).run());
    file.row = sqlite3_last_insert_rowid(database_.handle());
    changes.new_rows.push_back(&file);
  }
  return file.row;
}

Result<void> CommitPipeline::update_files(Transaction& changes) {
  for (const auto& [file, growth] : changes.files) {
    GOPLINE_TRY(grow_file_.bind(growth.records, static_cast<std::int64_t>(growth.length), file->row).run());
  }
  // Files that nobody but this set holds any more: the writing thread has rolled on, and no record of theirs
  // is under way.
  for (const auto& file : live_files_) {
    if (file.use_count() > 1) continue;
    GOPLINE_TRY(seal_file_.bind(file->row).run());
    changes.sealed.push_back(file);
  }
  if (changes.sealed.empty()) return {};
  return retention_.drop_empty_files(changes.dead);
}

Result<void> CommitPipeline::apply_retention(Transaction& changes) {
  for (auto& [where, partition] : changes.partitions) {
    const auto& retention = changes.topics[partition.topic].retention;
    if (retention.compacted && partition.uncompacted < kCompactAfter) continue;
    GOPLINE_TRY(retention_.apply(retention, partition, changes.now, kMostRemovedPerCommit, changes.dead));
  }
  return {};
}

// Now and then, partitions that nobody writes to are looked at, too.
Result<void> CommitPipeline::sweep(Transaction& changes) {
  auto now = parts_.options->clock->steady_now();
  if (now - last_sweep_ < kSweepEvery) return {};
  last_sweep_ = now;
  GOPLINE_ASSIGN(auto all, topics_.all());
  for (const auto& topic : all) {
    if (!topic.retention.age || topic.retention.compacted) continue;
    GOPLINE_ASSIGN(auto partitions, topics_.partitions(topic.id));
    for (auto& partition : partitions) {
      auto removals = partition.removals;
      GOPLINE_TRY(
          retention_.apply(topic.retention, partition, changes.now, kMostRemovedPerCommit, changes.dead));
      if (partition.removals != removals) GOPLINE_TRY(topics_.update(partition));
    }
  }
  return {};
}

void CommitPipeline::seal_remaining_files() {
  if (live_files_.empty()) return;
  DeadSpace dead;
  auto sealed = [&]() -> Result<void> {
    GOPLINE_ASSIGN(auto transaction, sqlite::WriteTransaction::begin(database_, *parts_.write_turn));
    for (const auto& file : live_files_) GOPLINE_TRY(seal_file_.bind(file->row).run());
    GOPLINE_TRY(retention_.drop_empty_files(dead));
    return transaction.commit();
  }();
  if (!sealed) {
    log_warning(parts_.options->directory, "cannot close the payload files ({}); the next opening will",
                sealed.error().message);
    parts_.on_unclean_end();
    return;
  }
  dead.release(*parts_.options->file_system, parts_.options->directory);
}

void CommitPipeline::deliver(Batch& batch) {
  while (!batch.empty()) {
    auto appended = std::move(batch.front());
    batch.pop_front();
    if (appended.on_delivery) appended.on_delivery(appended.outcome);
    appended.on_delivery = nullptr;
    appended.record = {};
    appended.written = {};
    appended.pending->give_back(appended.share, appended.outcome);
  }
}

}  // namespace gopline::embedded
