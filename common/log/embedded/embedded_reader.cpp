#include "common/log/embedded/embedded_reader.h"

#include <algorithm>

#include "common/base/uuid.h"
#include "common/log/embedded/catalogue_schema.h"
#include "common/log/embedded/layout.h"
#include "common/log/embedded/record_codec.h"

namespace gopline::embedded {
namespace {

constexpr auto kLongestWait = std::chrono::hours(24);
constexpr auto kDeafWait = std::chrono::seconds(1);

}  // namespace

EmbeddedReader::EmbeddedReader(std::shared_ptr<LogParts> log, LogReaderOptions options)
    : log_(std::move(log)), options_(std::move(options)) {
  member_.name = options_.member_id.empty() ? random_uuid() : options_.member_id;
  member_.session_timeout = options_.session_timeout;
}

Result<std::unique_ptr<LogReader>> EmbeddedReader::make(std::shared_ptr<LogParts> log,
                                                        LogReaderOptions options) {
  std::unique_ptr<EmbeddedReader> reader(new EmbeddedReader(std::move(log), std::move(options)));
  GOPLINE_TRY(reader->prepare());
  return std::unique_ptr<LogReader>(std::move(reader));
}

Result<void> EmbeddedReader::prepare() {
  GOPLINE_ASSIGN(database_, connect_catalogue(log_->options));
  GOPLINE_ASSIGN(topic_rows_, TopicRows::prepare(database_));
  GOPLINE_ASSIGN(record_rows_, RecordRows::prepare(database_));
  GOPLINE_ASSIGN(group_rows_, GroupRows::prepare(database_, options_.group));
  return {};
}

Result<PartitionRow> EmbeddedReader::find_partition(const TopicPartition& where) {
  GOPLINE_ASSIGN(auto topic, topic_rows_.find(where.topic));
  if (!topic)
    return fail(ErrorCode::kNotFound, "{}: has no topic \"{}\"", log_->options.directory, where.topic);
  GOPLINE_ASSIGN(auto partition, topic_rows_.partition(topic->id, where.partition.value));
  if (!partition) {
    return fail(ErrorCode::kNotFound, "{}: topic \"{}\" has no partition {}: it has {}",
                log_->options.directory, where.topic, where.partition, topic->partitions);
  }
  return *partition;
}

Result<EmbeddedReader::Position> EmbeddedReader::resolve(const TopicPartition& where,
                                                         const StartPosition& start) {
  GOPLINE_ASSIGN(auto partition, find_partition(where));
  Position position{partition.topic, partition.id, partition.range.end, partition.removals};
  switch (start.kind) {
    case StartPosition::Kind::kBeginning:
      position.next = partition.range.begin;
      break;
    case StartPosition::Kind::kEnd:
      break;
    case StartPosition::Kind::kOffset:
      position.next = std::clamp(start.offset, partition.range.begin, partition.range.end);
      break;
    case StartPosition::Kind::kTimestamp: {
      GOPLINE_ASSIGN(auto id, record_rows_.first_at(record_id(partition.id, partition.range.begin),
                                                    record_id(partition.id, partition.range.end),
                                                    start.timestamp.time_since_epoch().count()));
      if (id) position.next = offset_of(*id);
    }
  }
  return position;
}

Result<void> EmbeddedReader::assign(const std::vector<std::pair<TopicPartition, StartPosition>>& partitions) {
  if (!member_.topics.empty()) {
    return fail(ErrorCode::kInvalidArgument, "this reader has subscribed; it cannot assign");
  }
  std::map<TopicPartition, Position> positions;
  for (const auto& [where, start] : partitions) {
    GOPLINE_ASSIGN(positions[where], resolve(where, start));
  }
  positions_ = std::move(positions);
  return {};
}

std::vector<TopicPartition> EmbeddedReader::assignment() const {
  std::vector<TopicPartition> all;
  for (const auto& [where, position] : positions_) all.push_back(where);
  return all;
}

Result<Offset> EmbeddedReader::position(const TopicPartition& where) {
  auto found = positions_.find(where);
  if (found != positions_.end()) return found->second.next;
  return fail(ErrorCode::kNotFound, "partition {} of \"{}\" is not assigned to this reader", where.partition,
              where.topic);
}

Result<std::int64_t> EmbeddedReader::lag(const TopicPartition& where) {
  GOPLINE_ASSIGN(auto next, position(where));
  GOPLINE_ASSIGN(auto partition, find_partition(where));
  return std::max<std::int64_t>(partition.range.end.value - next.value, 0);
}

Result<void> EmbeddedReader::seek(const TopicPartition& where, StartPosition start) {
  auto found = positions_.find(where);
  if (found == positions_.end()) {
    return fail(ErrorCode::kInvalidArgument, "partition {} of \"{}\" is not assigned to this reader",
                where.partition, where.topic);
  }
  GOPLINE_ASSIGN(found->second, resolve(where, start));
  return {};
}

void EmbeddedReader::wakeup() {
  woken_ = true;
  log_->tail->stir();
}

// A waiting member still keeps its seat, and one that cannot hear other processes looks by itself.
std::chrono::steady_clock::time_point EmbeddedReader::slice_end(
    std::chrono::steady_clock::time_point until) const {
  auto now = std::chrono::steady_clock::now();
  if (!member_.topics.empty()) until = std::min(until, now + options_.session_timeout / 3);
  if (!log_->tail->hears_others()) until = std::min(until, now + kDeafWait);
  return until;
}

Result<std::vector<StoredRecord>> EmbeddedReader::poll(Duration max_wait) {
  auto until = std::chrono::steady_clock::now() + std::min<Duration>(max_wait, kLongestWait);
  while (true) {
    auto seen = log_->tail->version();
    if (!member_.topics.empty()) GOPLINE_TRY(keep_house());
    GOPLINE_ASSIGN(auto records, fetch());
    if (!records.empty() || woken_.exchange(false)) return records;
    if (std::chrono::steady_clock::now() >= until) return records;
    log_->tail->wait(seen, slice_end(until));
  }
}

Result<std::vector<StoredRecord>> EmbeddedReader::fetch() {
  while (true) {
    std::vector<std::pair<Position*, Position>> before;
    auto records = fetch_once(before);
    if (!records) {  // what was not handed out is read again
      for (auto& [position, old] : before) *position = old;
      return records;
    }
    // All of them may have expired under our hands; then there are younger ones, or none.
    if (!records->empty() || before.empty()) return records;
  }
}

Result<std::vector<StoredRecord>> EmbeddedReader::fetch_once(
    std::vector<std::pair<Position*, Position>>& before) {
  GOPLINE_ASSIGN(auto ends, find_ends());
  GOPLINE_ASSIGN(auto rows, read_rows(ends, before));
  if (rows.empty()) return std::vector<StoredRecord>{};
  GOPLINE_ASSIGN(auto records, with_values(std::move(rows)));
  GOPLINE_TRY(drop_removed(records));
  return records;
}

// Where partitions that have something to read end.
Result<std::vector<std::pair<EmbeddedReader::Position*, Offset>>> EmbeddedReader::find_ends() {
  std::vector<std::pair<Position*, Offset>> ends;
  for (auto& [where, position] : positions_) {
    GOPLINE_ASSIGN(auto partition, topic_rows_.partition(position.topic, where.partition.value));
    if (!partition) {
      if (!member_.topics.empty()) continue;  // the group revokes it
      return topic_is_gone(where.topic);
    }
    position.removals = partition->removals;
    if (position.next < partition->range.end) ends.emplace_back(&position, partition->range.end);
  }
  // Partitions take turns at being first, so that a busy one starves no other.
  if (!ends.empty()) {
    std::rotate(ends.begin(), ends.begin() + static_cast<std::ptrdiff_t>(turns_++ % ends.size()), ends.end());
  }
  return ends;
}

Result<std::vector<RecordRow>> EmbeddedReader::read_rows(
    const std::vector<std::pair<Position*, Offset>>& ends,
    std::vector<std::pair<Position*, Position>>& before) {
  std::vector<RecordRow> rows;
  auto budget = options_.max_poll_bytes;
  for (auto [position, end] : ends) {
    auto count = rows.size();
    before.emplace_back(position, *position);
    GOPLINE_ASSIGN(bool full, record_rows_.read(record_id(position->partition, position->next),
                                                record_id(position->partition, end), !options_.headers_only,
                                                budget, rows));
    if (rows.size() > count) {
      position->next = offset_of(rows.back().id).next();
    } else if (!full) {
      position->next = end;  // nothing but holes
    }
    if (full) break;
  }
  return rows;
}

// Told once to a reader that has assigned, which then goes on with the rest.
tl::unexpected<Error> EmbeddedReader::topic_is_gone(const std::string& topic) {
  auto name = topic;
  std::erase_if(positions_, [&](const auto& entry) { return entry.first.topic == name; });
  return fail(ErrorCode::kNotFound, "{}: topic \"{}\" was deleted while it was read", log_->options.directory,
              name);
}

Result<std::vector<StoredRecord>> EmbeddedReader::with_values(std::vector<RecordRow> rows) {
  std::vector<ValueRequest> requests;
  for (const auto& row : rows) {
    if (row.file && !options_.headers_only) {
      requests.push_back({*row.file, row.position, static_cast<std::size_t>(row.size.value_or(0))});
    }
  }
  auto values = log_->payload.read(requests, database_);
  std::map<std::int64_t, const TopicPartition*> names;
  for (const auto& [where, position] : positions_) names[position.partition] = &where;

  std::vector<StoredRecord> records;
  records.reserve(rows.size());
  std::size_t next_value = 0;
  for (auto& row : rows) {
    StoredRecord record;
    record.where = *names[row.id >> kOffsetBits];
    record.offset = offset_of(row.id);
    record.timestamp = Timestamp(Duration(row.timestamp_us));
    record.key = std::move(row.key);
    auto headers = decode_headers(row.headers);
    if (headers) {
      record.headers = std::move(*headers);
    } else {
      record.damage = headers.error();
    }
    if (row.size) record.value = row.value;
    record.pinned_bytes = row.value.size();
    if (row.file && !options_.headers_only) {
      auto& value = values[next_value++];
      if (value) {
        record.value = std::move(value->bytes);
        record.pinned_bytes = value->pinned;
      } else {
        record.damage = value.error();
      }
    }
    bool verify = options_.verify_values && !options_.headers_only && record.value && !record.damage;
    if (verify && checksum_of(record.value->bytes()) != row.checksum) {
      record.damage = Error{ErrorCode::kCorrupt, "the stored value does not match its checksum"};
    }
    if (record.damage) {
      record.damage->message =
          fmt::format("{}: record {} of \"{}\", partition {}: {}", log_->options.directory, record.offset,
                      record.where.topic, record.where.partition, record.damage->message);
      record.value = Buffer();
      record.pinned_bytes = 0;
    }
    records.push_back(std::move(record));
  }
  return records;
}

// Retention unlinks files and punches holes after it has removed the rows. So a value was whole when it was
// read if its row is still there afterwards; otherwise the record has expired.
Result<void> EmbeddedReader::drop_removed(std::vector<StoredRecord>& records) {
  std::map<TopicPartition, bool> changed;
  std::vector<StoredRecord> kept;
  for (auto& record : records) {
    const auto& position = positions_[record.where];
    auto known = changed.find(record.where);
    if (known == changed.end()) {
      GOPLINE_ASSIGN(auto partition, topic_rows_.partition(position.topic, record.where.partition.value));
      known = changed.emplace(record.where, !partition || partition->removals != position.removals).first;
    }
    bool there = true;
    if (known->second) {
      GOPLINE_ASSIGN(there, record_rows_.exists(record_id(position.partition, record.offset)));
    }
    if (there) kept.push_back(std::move(record));
  }
  records = std::move(kept);
  return {};
}

}  // namespace gopline::embedded
