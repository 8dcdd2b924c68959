#include "splitter/index_keeper.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "common/base/logging.h"
#include "common/base/text.h"
#include "common/catalog/stream_directory.h"
#include "splitter/hour_entries.h"
#include "splitter/record_append.h"

namespace gopline::splitter {
namespace {

constexpr auto kStateInterval = std::chrono::seconds(10);
constexpr std::size_t kRollUpFrame = 4096;  // what a roll-up's headers take of a record's limit, at most

// Up to where a segment is in the log once a part of it is.
struct Reached {
  Timestamp end;
  std::uint64_t size = 0;
};

}  // namespace

// Its entry is complete when every chunk is acknowledged.
struct IndexKeeper::InFlight {
  record::IndexEntry entry;
  std::size_t missing = 0;
  bool is_whole = false;  // its last chunk is among those handed over
  bool failed = false;
};

struct IndexKeeper::State {
  State(Log& l, LogWriter& w, const Clock& c, const record::Topics& t, OpenEpoch e,
        std::function<void(const record::IndexEntry&)> acknowledge)
      : log(l),
        writer(w),
        clock(c),
        topics(t),
        epoch(std::move(e)),
        on_acknowledged(std::move(acknowledge)),
        stream_state(epoch.state) {}

  Log& log;
  LogWriter& writer;
  const Clock& clock;
  record::Topics topics;
  OpenEpoch epoch;
  std::function<void(const record::IndexEntry&)> on_acknowledged;
  std::atomic<bool> late{false};

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<record::IndexEntry> acknowledged_entries;  // waiting for their index record
  bool finishing = false;
  bool abandoned = false;
  Acknowledged acknowledged;
  std::map<SegmentNumber, record::GapFacts> unacknowledged;  // as it were if they never came to be
  std::optional<Error> error;
  record::StreamState stream_state;  // what NS.streams gets next

  // The keeper thread's own.
  HourEntries hour_entries;
  std::string hour;
  SteadyTime last_state{};
  std::optional<catalog::StreamDirectory> directory;
  std::thread thread;

  void fail_with(Error failure) {
    std::lock_guard lock(mutex);
    if (!error) error = std::move(failure);
  }
  void chunk_done(InFlight& flight, std::size_t chunk, const std::optional<Reached>& reached,
                  Result<Offset> result);
  void entry_done(const record::IndexEntry& entry, Result<Offset> result);
  void run(const std::shared_ptr<State>& self);
  void index(const std::shared_ptr<State>& self, const record::IndexEntry& entry);
  void roll_up();
  void append_marker(const TopicPartition& where, record::Encoded encoded);
  Result<void> look_for_newer();
  void refresh_state();
};

void IndexKeeper::State::chunk_done(InFlight& flight, std::size_t chunk,
                                    const std::optional<Reached>& reached, Result<Offset> result) {
  std::lock_guard lock(mutex);
  if (result) {
    flight.entry.offsets[chunk] = *result;
  } else {
    flight.failed = true;
    if (!error) error = std::move(result.error());
  }
  --flight.missing;
  if (flight.failed) return;
  if (auto facts = unacknowledged.find(flight.entry.segment); reached && facts != unacknowledged.end()) {
    facts->second.from = reached->end;
    facts->second.bytes = flight.entry.size - reached->size;
  }
  if (flight.missing > 0 || !flight.is_whole) return;
  unacknowledged.erase(flight.entry.segment);
  ++acknowledged.segments;
  acknowledged.bytes += flight.entry.size;
  acknowledged_entries.push_back(std::move(flight.entry));
  changed.notify_one();
}

// NS.streams accounts for a segment once its index entry is safe.
void IndexKeeper::State::entry_done(const record::IndexEntry& entry, Result<Offset> result) {
  std::lock_guard lock(mutex);
  if (!result) {
    if (!error) error = std::move(result.error());
    return;
  }
  if (error) return;  // after a hole the position stays before it
  stream_state.ordinal = entry.ordinal;
  stream_state.discontinuities = entry.discontinuities;
  ++stream_state.segments;
  stream_state.bytes += entry.size;
  if (!stream_state.first_time) stream_state.first_time = entry.time;
  stream_state.last_time = entry.end_time();
  stream_state.position = entry.offsets.back().next();
  stream_state.index_position = result->next();
}

void IndexKeeper::State::run(const std::shared_ptr<State>& self) {
  for (;;) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !acknowledged_entries.empty() || finishing || abandoned; });
    if (abandoned) return;
    if (acknowledged_entries.empty()) break;
    auto entry = std::move(acknowledged_entries.front());
    acknowledged_entries.pop_front();
    lock.unlock();
    if (on_acknowledged) on_acknowledged(entry);
    index(self, entry);
    if (clock.steady_now() - last_state >= kStateInterval) {
      refresh_state();
      last_state = clock.steady_now();  // after it: were it slow, there would be one for each entry
    }
  }
  roll_up();
}

void IndexKeeper::State::index(const std::shared_ptr<State>& self, const record::IndexEntry& entry) {
  auto entry_hour = format_hour(entry.time);
  if (hour.empty()) hour = entry_hour;
  // An hour is told once: an entry whose clock went back stays in the hour that is open.
  if (entry_hour > hour) {
    roll_up();
    hour = entry_hour;
  }
  auto encoded = record::encode(entry);
  hour_entries.add(entry, encoded.value.text());
  auto appended =
      writer.append(epoch.index, new_record(std::move(encoded), clock),
                    [self, entry](Result<Offset> result) { self->entry_done(entry, std::move(result)); });
  if (!appended) fail_with(appended.error());
}

void IndexKeeper::State::roll_up() {
  if (hour_entries.empty()) return;
  auto taken = hour_entries.take();
  if (!taken) return fail_with(std::move(taken.error()));
  auto roll = std::move(*taken);
  roll.stream = epoch.started.stream;
  roll.writer = epoch.started.writer;
  roll.epoch = epoch.number;
  roll.hour = hour;
  roll.late = late;
  auto limit = epoch.max_record_bytes > kRollUpFrame ? epoch.max_record_bytes - kRollUpFrame : 1;
  append_marker(epoch.index, record::encode(roll, static_cast<std::size_t>(limit)));
}

void IndexKeeper::State::append_marker(const TopicPartition& where, record::Encoded encoded) {
  auto result = append_and_wait(writer, where, std::move(encoded), clock);
  if (!result) fail_with(result.error());
}

// Whoever opened later owns the stream: what is still written here is history from then on.
Result<void> IndexKeeper::State::look_for_newer() {
  if (!directory) {
    GOPLINE_ASSIGN(directory, catalog::StreamDirectory::read(log, topics, epoch.started.stream));
  } else {
    GOPLINE_TRY(directory->refresh());
  }
  auto found = directory->streams().find(epoch.started.stream);
  if (found == directory->streams().end() || !found->second.epoch || *found->second.epoch <= epoch.number)
    return {};
  if (!late.exchange(true)) {
    log_warning(epoch.started.stream,
                "epoch {} has begun elsewhere and owns the stream now; epoch {} goes on as history",
                *found->second.epoch, epoch.number);
  }
  return {};
}

void IndexKeeper::State::refresh_state() {
  if (auto looked = look_for_newer(); !looked) return fail_with(looked.error());
  if (late) return;
  std::unique_lock lock(mutex);
  stream_state.updated = clock.now();
  auto encoded = record::encode(stream_state);
  lock.unlock();
  append_marker({topics.streams, PartitionId(0)}, std::move(encoded));
}

IndexKeeper::IndexKeeper(Log& log, LogWriter& writer, const Clock& clock, const record::Topics& topics,
                         OpenEpoch epoch, std::function<void(const record::IndexEntry&)> on_acknowledged)
    : state_(
          std::make_shared<State>(log, writer, clock, topics, std::move(epoch), std::move(on_acknowledged))) {
  state_->last_state = clock.steady_now();
  state_->thread = std::thread([state = state_] { state->run(state); });
}

IndexKeeper::~IndexKeeper() {
  {
    std::lock_guard lock(state_->mutex);
    state_->abandoned = true;
  }
  state_->changed.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

std::vector<DeliveryCallback> IndexKeeper::expect(Flight& flight, record::IndexEntry entry,
                                                  std::size_t chunks, bool is_last) {
  std::lock_guard lock(state_->mutex);
  bool is_first = !flight;
  if (is_first) flight = std::make_shared<InFlight>();
  auto offsets = std::move(flight->entry.offsets);
  auto before = flight->entry.size;
  auto first = offsets.size();
  flight->entry = std::move(entry);
  flight->entry.offsets = std::move(offsets);
  flight->entry.offsets.resize(first + chunks);
  flight->missing += chunks;
  flight->is_whole = is_last;
  const auto& expected = flight->entry;
  auto& facts = state_->unacknowledged[expected.segment];
  if (is_first) facts = {record::GapCause::kLost, expected.time, {}, 0};
  facts.to = expected.end_time();
  facts.bytes += expected.size - before;
  std::vector<DeliveryCallback> callbacks;
  for (auto i = first; i < first + chunks; ++i) {
    std::optional<Reached> reached;
    if (i + 1 == first + chunks) reached = Reached{facts.to, expected.size};
    callbacks.push_back([state = state_, flight, i, reached](Result<Offset> result) {
      state->chunk_done(*flight, i, reached, std::move(result));
    });
  }
  return callbacks;
}

void IndexKeeper::forget(const Flight& flight) {
  std::lock_guard lock(state_->mutex);
  state_->unacknowledged.erase(flight->entry.segment);
}

std::vector<record::GapFacts> IndexKeeper::unacknowledged() const {
  std::lock_guard lock(state_->mutex);
  std::vector<record::GapFacts> gaps;
  std::optional<SegmentNumber> newest;
  for (const auto& [segment, facts] : state_->unacknowledged) {
    if (facts.from >= facts.to && facts.bytes == 0) continue;  // what there was of it is in the log
    if (newest && newest->next() == segment) {
      gaps.back() = record::joined(gaps.back(), facts);
    } else {
      gaps.push_back(facts);
    }
    newest = segment;
  }
  return gaps;
}

DeliveryCallback IndexKeeper::expect_marker() {
  return [state = state_](Result<Offset> result) {
    if (!result) state->fail_with(std::move(result.error()));
  };
}

void IndexKeeper::finish() {
  {
    std::lock_guard lock(state_->mutex);
    state_->finishing = true;
  }
  state_->changed.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
  if (auto flushed = state_->writer.flush(); !flushed) state_->fail_with(flushed.error());
}

Result<void> IndexKeeper::write_state(std::optional<record::EndCause> ended) {
  GOPLINE_TRY(state_->look_for_newer());
  if (state_->late) return {};
  std::unique_lock lock(state_->mutex);
  state_->stream_state.ended = ended;
  state_->stream_state.updated = state_->clock.now();
  auto encoded = record::encode(state_->stream_state);
  lock.unlock();
  GOPLINE_TRY(append_and_wait(state_->writer, {state_->topics.streams, PartitionId(0)}, std::move(encoded),
                              state_->clock));
  return {};
}

Acknowledged IndexKeeper::acknowledged() const {
  std::lock_guard lock(state_->mutex);
  return state_->acknowledged;
}
std::optional<Error> IndexKeeper::error() const {
  std::lock_guard lock(state_->mutex);
  return state_->error;
}
void IndexKeeper::fail_with(Error error) {
  state_->fail_with(std::move(error));
}
bool IndexKeeper::is_late() const {
  return state_->late;
}

}  // namespace gopline::splitter
