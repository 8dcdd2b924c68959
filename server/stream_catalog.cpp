#include "server/stream_catalog.h"

#include <algorithm>

#include "common/base/logging.h"
#include "common/catalog/partition_scan.h"
#include "common/record/event_type.h"

namespace gopline::server {
namespace {

constexpr std::size_t kScanBytes = 4 << 20;  // a week is read in pieces of this, not held at once
constexpr Duration kPollWait = std::chrono::milliseconds(500);
constexpr Duration kRetryWait = std::chrono::seconds(1);
constexpr Duration kDirectoryPause = std::chrono::milliseconds(500);  // between two looks at NS.streams
constexpr Duration kUnusedTime = std::chrono::minutes(10);
// A segment is written after it was taken; clocks of cameras may be ahead of their writer's by this much.
constexpr Duration kClockAhead = std::chrono::hours(1);

bool is_missing(const Error& error) {
  return error.code == ErrorCode::kNotFound;
}

}  // namespace

struct StreamCatalog::Listeners {
  std::mutex mutex;
  std::map<int, Listener> all;
  int next = 0;
};

StreamCatalog::StreamCatalog(Log& log, const Clock& clock, record::Topics topics)
    : log_(log), clock_(clock), topics_(std::move(topics)), listeners_(std::make_shared<Listeners>()) {}

Result<std::unique_ptr<StreamCatalog>> StreamCatalog::open(Log& log, const Clock& clock,
                                                           record::Topics topics) {
  std::unique_ptr<StreamCatalog> catalog(new StreamCatalog(log, clock, std::move(topics)));
  GOPLINE_ASSIGN(catalog->directory_, catalog::StreamDirectory::read(log, catalog->topics_));
  GOPLINE_TRY(catalog->begin_following());
  GOPLINE_TRY(catalog->refresh_directory());  // what was written before the following began
  catalog->thread_ = std::jthread([self = catalog.get()](const StopToken& stop) { self->follow(stop); });
  return catalog;
}

StreamCatalog::~StreamCatalog() = default;

std::vector<StreamView> StreamCatalog::streams() const {
  std::lock_guard lock(mutex_);
  std::vector<StreamView> out;
  for (const auto& [id, state] : states_) {
    if (!state.epoch) continue;
    StreamView view{state, state.last_time, state.updated};
    if (auto known = known_.find(id); known != known_.end()) {
      view.last_time = std::max(view.last_time, known->second.last_time);
      view.last_written = std::max(view.last_written, known->second.last_written);
    }
    out.push_back(std::move(view));
  }
  return out;
}

Result<StreamView> StreamCatalog::find(const std::string& stream) const {
  for (auto& view : streams()) {
    if (view.state.stream == stream) return view;
  }
  return fail(ErrorCode::kNotFound, "{}: there is no such stream", stream);
}

// ---- the catalogue's thread

Result<void> StreamCatalog::refresh_directory() {
  GOPLINE_TRY(directory_->refresh());
  looked_at_directory_ = clock_.steady_now();
  directory_changed_ = false;
  std::lock_guard lock(mutex_);
  states_ = directory_->streams();
  return {};
}

// False: there is nothing to follow yet.
Result<bool> StreamCatalog::begin_following() {
  std::vector<std::pair<TopicPartition, StartPosition>> partitions;
  std::map<PartitionId, Offset> tail;
  for (const auto* topic : {&topics_.index, &topics_.streams}) {
    auto info = log_.describe_topic(*topic);
    if (!info && is_missing(info.error())) return false;
    if (!info) return tl::unexpected<Error>(info.error());
    for (std::int32_t i = 0; i < info->partitions; ++i) {
      TopicPartition where{*topic, PartitionId(i)};
      GOPLINE_ASSIGN(auto range, log_.offsets(where));
      if (topic == &topics_.index) tail[where.partition] = range.end;
      partitions.emplace_back(where, StartPosition::at(range.end));
    }
  }
  LogReaderOptions options;
  options.headers_only = log_.reads_headers_alone();
  GOPLINE_ASSIGN(reader_, log_.make_reader(options));
  GOPLINE_TRY(reader_->assign(partitions));
  std::lock_guard lock(mutex_);
  tail_ = std::move(tail);
  return true;
}

void StreamCatalog::follow(const StopToken& stop) {
  std::mutex mutex;
  std::condition_variable_any pause;
  while (!stop.stop_requested()) {
    auto result = follow_once(stop);
    if (stop.stop_requested()) return;
    note_health(result);
    if (result && *result) continue;
    std::unique_lock lock(mutex);
    pause.wait_for(lock, stop, kRetryWait, [] { return false; });
  }
}

void StreamCatalog::note_health(const Result<bool>& looked) {
  std::lock_guard lock(mutex_);
  if (looked.has_value() == health_.is_read) return;
  health_.is_read = looked.has_value();
  health_.problem = looked ? "" : looked.error().message;
  health_.since = clock_.now();
  if (!looked) log_warning("serve", "following the index: {}; trying again", health_.problem);
}

LogHealth StreamCatalog::health() const {
  std::unique_lock lock(mutex_);
  auto health = health_;
  auto tail = tail_;
  lock.unlock();
  if (!health.is_read) return health;
  std::int64_t behind = 0;
  for (const auto& [partition, next] : tail) {
    auto range = log_.offsets({topics_.index, partition});
    if (!range) return {false, range.error().message, clock_.now(), std::nullopt};
    behind += std::max<std::int64_t>(range->end.value - next.value, 0);
  }
  health.behind = behind;
  return health;
}

// False: there is nothing to follow yet.
Result<bool> StreamCatalog::follow_once(const StopToken& stop) {
  if (!reader_) {
    GOPLINE_ASSIGN(auto follows, begin_following());
    if (!follows) return false;
    directory_changed_ = true;
  }
  std::vector<StoredRecord> records;
  {
    std::stop_callback wake(stop, [&] { reader_->wakeup(); });
    GOPLINE_ASSIGN(records, reader_->poll(directory_changed_ ? kDirectoryPause : kPollWait));
  }
  std::set<std::string> changed;
  take(records, changed);
  if (directory_changed_ && clock_.steady_now() - looked_at_directory_ >= kDirectoryPause)
    GOPLINE_TRY(refresh_directory());
  forget_unused();
  if (changed.empty()) return true;
  std::lock_guard lock(listeners_->mutex);
  for (const auto& [number, listener] : listeners_->all) listener(changed);
  return true;
}

void StreamCatalog::take(const std::vector<StoredRecord>& records, std::set<std::string>& changed) {
  std::lock_guard lock(mutex_);
  for (const auto& stored : records) {
    changed.insert(stored.key);
    if (stored.where.topic == topics_.streams) {
      directory_changed_ = true;
      continue;
    }
    tail_[stored.where.partition] = stored.offset.next();
    auto row = row_from(stored);
    if (!row) continue;
    if (auto loaded = loaded_.find(stored.key); loaded != loaded_.end()) loaded->second->rows->add(*row);
    if (!states_.contains(stored.key)) directory_changed_ = true;
    auto& known = known_[stored.key];
    known.last_written = std::max(known.last_written, std::optional(stored.timestamp));
    if (row->late || row->ordinal < known.ordinal) continue;
    known.ordinal = row->ordinal;
    known.last_time = row->end();
  }
}

void StreamCatalog::forget_unused() {
  auto now = clock_.steady_now();
  std::lock_guard lock(mutex_);
  std::erase_if(loaded_, [&](const auto& entry) {
    const auto& [stream, loaded] = entry;
    return loaded.use_count() == 1 && loaded->rows.use_count() == 1 && now - loaded->used > kUnusedTime;
  });
  std::erase_if(rolled_, [&](const auto& entry) { return now - entry.second.used > kUnusedTime; });
}

// ---- segments

Result<std::shared_ptr<StreamCatalog::Loaded>> StreamCatalog::loaded(const std::string& stream,
                                                                     PartitionId partition) {
  std::lock_guard lock(mutex_);
  auto tail = tail_.find(partition);
  if (tail == tail_.end()) return fail(ErrorCode::kUnavailable, "{}: its index is not there yet", stream);
  auto& entry = loaded_[stream];
  if (!entry) {
    entry = std::make_shared<Loaded>();
    entry->from = tail->second;
  }
  entry->used = clock_.steady_now();
  return entry;
}

// What was taken at `since` was written then or later.
Result<Offset> StreamCatalog::index_offset_of(const record::StreamState& state,
                                              std::optional<Timestamp> since) {
  bool ahead_of_clock = state.last_time && *state.last_time > state.updated + kClockAhead;
  if (!since || ahead_of_clock || (state.first_time && *since <= *state.first_time)) return Offset(0);
  TopicPartition where{topics_.index, state.partition};
  GOPLINE_ASSIGN(auto reader, log_.make_reader({}));
  GOPLINE_TRY(reader->assign({{where, StartPosition::at(*since - kClockAhead)}}));
  return reader->position(where);
}

std::shared_ptr<RolledIndex> StreamCatalog::rolled(const TopicPartition& where) {
  std::lock_guard lock(mutex_);
  auto& entry = rolled_[where.partition];
  if (!entry.index) entry.index = std::make_shared<RolledIndex>(log_, where);
  entry.used = clock_.steady_now();
  return entry.index;
}

// A log that hands out whole records, as Kafka does, reads all that there is anyhow.
Result<std::vector<SegmentRow>> StreamCatalog::read_rows(const std::string& stream,
                                                         const TopicPartition& where, Offset from, Offset to,
                                                         const StopToken& stop) {
  if (log_.reads_headers_alone()) return rolled(where)->rows(stream, from, to, stop);
  std::vector<SegmentRow> rows;
  catalog::ScanOptions options;
  options.from = from;
  options.to = to;
  options.max_poll_bytes = kScanBytes;
  options.stop = stop;
  GOPLINE_TRY(catalog::scan_partition(log_, where, options, [&](const StoredRecord& stored) {
    if (stored.key != stream) return true;
    if (auto row = row_from(stored)) rows.push_back(*row);
    return true;
  }));
  return rows;
}

Result<std::shared_ptr<const SegmentRows>> StreamCatalog::segments(const std::string& stream,
                                                                   std::optional<Timestamp> since,
                                                                   const StopToken& stop) {
  GOPLINE_ASSIGN(auto view, find(stream));
  GOPLINE_ASSIGN(auto entry, loaded(stream, view.state.partition));
  TopicPartition where{topics_.index, view.state.partition};
  std::lock_guard lock(entry->loading);
  GOPLINE_ASSIGN(auto kept, log_.offsets(where));
  if (kept.begin > entry->kept) entry->rows->forget_before(kept.begin);
  entry->kept = kept.begin;
  if (entry->from <= kept.begin) return entry->rows;
  GOPLINE_ASSIGN(auto from, index_offset_of(view.state, since));
  if (from >= entry->from) return entry->rows;
  GOPLINE_ASSIGN(auto rows, read_rows(stream, where, from, entry->from, stop));
  entry->rows->add(std::move(rows));
  entry->from = from;
  return entry->rows;
}

std::shared_ptr<void> StreamCatalog::subscribe(Listener listener) {
  std::lock_guard lock(listeners_->mutex);
  auto number = listeners_->next++;
  listeners_->all.emplace(number, std::move(listener));
  return {nullptr, [listeners = listeners_, number](void*) {
            std::lock_guard inner(listeners->mutex);
            listeners->all.erase(number);
          }};
}

}  // namespace gopline::server
