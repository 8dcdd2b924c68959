#include "common/record/chunk_assembler.h"

#include <algorithm>

#include "common/bytes/digest.h"
#include "common/record/assembler_state.h"
#include "common/record/event_type.h"

namespace gopline::record {
using namespace assembler;

struct ChunkAssembler::State {
  AssemblerOptions options;
  AssemblerStats stats;
  std::map<std::string, StreamEpochs, std::less<>> streams;
  std::size_t pending_bytes = 0;
  std::vector<AssemblerEvent> events;

  void take(const IncomingRecord& record, SteadyTime now);
  void take_chunk(const IncomingRecord& record, SteadyTime now);
  void take_started(const IncomingRecord& record);
  void begin_epoch(StreamEpochs& stream, EpochNumber number);
  template <typename Marker, typename Event>
  void take_marker(const IncomingRecord& record, Result<Marker> marker);
  void bad(const IncomingRecord& record, Error error);

  bool is_headless(StreamEpochs& stream, const SegmentHeaders& headers);
  bool is_duplicate(EpochState& epoch, const SegmentHeaders& headers);
  void store(EpochState& epoch, SegmentHeaders headers, const IncomingRecord& record, SteadyTime now);
  void tell_chunks(Partial& partial);
  void complete(StreamEpochs& stream, EpochNumber number, EpochState& epoch, std::int64_t segment);
  void lose(StreamEpochs& stream, EpochNumber number, std::int64_t segment, GapCause cause,
            std::string reason);
  void lose_all(StreamEpochs& stream, std::optional<EpochNumber> below, const std::string& reason);
  void lose_epoch(StreamEpochs& stream, EpochNumber number, const std::string& reason);
  void evict();
  EpochState& epoch_of(StreamEpochs& stream, EpochNumber number);
  bool is_late(const StreamEpochs& stream, EpochNumber number, bool marked) const {
    return marked || (stream.newest && number < *stream.newest);
  }
};

namespace {

std::string missing_chunks(const Partial& partial) {
  std::int64_t expected = 0;
  for (const auto& [number, chunk] : partial.chunks) {
    if (number != expected) break;
    ++expected;
  }
  if (partial.last) return fmt::format("chunk {} of {} is missing", expected, *partial.last + 1);
  return fmt::format("chunk {} and what may follow are missing", expected);
}

}  // namespace

void ChunkAssembler::State::bad(const IncomingRecord& record, Error error) {
  ++stats.corrupt;
  events.push_back(BadRecord{record.offset, std::string(record.key), std::move(error)});
}

EpochState& ChunkAssembler::State::epoch_of(StreamEpochs& stream, EpochNumber number) {
  auto found = stream.epochs.find(number);
  if (found != stream.epochs.end()) return found->second;
  while (stream.epochs.size() >= kEpochsRemembered) {
    auto oldest = stream.epochs.begin();
    while (!oldest->second.partial.empty()) {
      lose(stream, oldest->first, oldest->second.partial.begin()->first, GapCause::kLost,
           "newer epochs went on");
    }
    stream.forgotten = std::max(stream.forgotten.value_or(oldest->first), oldest->first);
    stream.epochs.erase(oldest);
  }
  return stream.epochs[number];
}

void ChunkAssembler::State::take(const IncomingRecord& record, SteadyTime now) {
  ++stats.records;
  auto type = event_type_of(*record.headers);
  if (!type) return bad(record, type.error());
  switch (*type) {
    case EventType::kSegment:
      return take_chunk(record, now);
    case EventType::kEpochStarted:
      return take_started(record);
    case EventType::kEpochEnded:
      return take_marker<EpochEnded, EndedEpoch>(record, parse_epoch_ended(*record.headers, record.value));
    case EventType::kGap:
      return take_marker<Gap, WrittenGap>(record, parse_gap(*record.headers, record.value));
    default:
      ++stats.unknown_records;
  }
}

void ChunkAssembler::State::take_started(const IncomingRecord& record) {
  auto marker = parse_epoch_started(*record.headers, record.value);
  if (!marker) return bad(record, marker.error());
  std::int64_t number = 0;
  if (__builtin_add_overflow(marker->epoch_base, record.offset.value, &number)) {
    return bad(record, {ErrorCode::kCorrupt, "epoch_base is beyond 63 bits"});
  }
  auto& stream = streams[marker->stream];
  EpochNumber epoch(number);
  if (!epoch_of(stream, epoch).markers.insert(marker->writer).second) {
    ++stats.duplicates;
    return;
  }
  if (!marker->late) begin_epoch(stream, epoch);
  events.push_back(StartedEpoch{epoch, record.offset, std::move(*marker)});
}

void ChunkAssembler::State::begin_epoch(StreamEpochs& stream, EpochNumber number) {
  if (stream.newest && number <= *stream.newest) return;
  stream.newest = number;
  lose_all(stream, number, "a newer epoch has begun");
}

template <typename Marker, typename Event>
void ChunkAssembler::State::take_marker(const IncomingRecord& record, Result<Marker> marker) {
  if (!marker) return bad(record, marker.error());
  auto id = find_header(*record.headers, "ce_id");
  auto& stream = streams[marker->stream];
  auto& epoch = epoch_of(stream, marker->epoch);
  if (epoch.markers.size() < kSegmentsRemembered &&
      !epoch.markers.insert(std::string(id.value_or(""))).second) {
    ++stats.duplicates;
    return;
  }
  bool is_end = std::is_same_v<Event, EndedEpoch>;
  lose_epoch(stream, marker->epoch, is_end ? "the epoch has ended" : "its writer states a gap");
  events.push_back(Event{std::move(*marker)});
}

// Of a segment that had begun before the reading of its epoch did. What is seen first of an epoch decides.
bool ChunkAssembler::State::is_headless(StreamEpochs& stream, const SegmentHeaders& headers) {
  if (!options.joins) return false;
  bool is_first = !stream.epochs.contains(headers.epoch);
  auto& epoch = epoch_of(stream, headers.epoch);
  if (is_first && headers.chunk > 0) epoch.headless = headers.segment.value;
  if (epoch.headless != headers.segment.value) return false;
  ++stats.headless;
  return true;
}

// Drops what was taken before; says so as a conflict when the digest differs.
bool ChunkAssembler::State::is_duplicate(EpochState& epoch, const SegmentHeaders& headers) {
  auto partial = epoch.partial.find(headers.segment.value);
  bool waiting = partial != epoch.partial.end() && partial->second.chunks.contains(headers.chunk);
  if (!waiting && !epoch.is_done(headers.segment.value)) return false;
  auto same = [&](const Digest& d) { return d.segment == headers.segment && d.chunk == headers.chunk; };
  auto known = std::find_if(epoch.digests.begin(), epoch.digests.end(), same);
  bool conflict = known != epoch.digests.end() && known->xxh3 != headers.xxh3;
  ++(conflict ? stats.conflicts : stats.duplicates);
  return true;
}

void ChunkAssembler::State::take_chunk(const IncomingRecord& record, SteadyTime now) {
  auto parsed = parse_segment_headers(*record.headers);
  if (!parsed) return bad(record, parsed.error());
  auto headers = std::move(*parsed);
  stats.unknown_headers += static_cast<std::uint64_t>(headers.unknown_headers);
  auto& stream = streams[headers.stream];
  if (stream.forgotten && headers.epoch <= *stream.forgotten && !stream.epochs.contains(headers.epoch)) {
    ++stats.duplicates;
    return;
  }
  if (!headers.late) begin_epoch(stream, headers.epoch);
  if (is_headless(stream, headers)) return;
  bool late = is_late(stream, headers.epoch, headers.late);
  if (late) ++stats.late;
  auto& epoch = epoch_of(stream, headers.epoch);
  if (is_duplicate(epoch, headers)) return;

  std::string damage = record.damage.value_or("");
  if (damage.empty() && headers.chunk >= kMostChunks) damage = "a segment of more than a million chunks";
  if (damage.empty() && options.verify_xxh3 && xxh3_hex(record.value.bytes()) != headers.xxh3) {
    damage = "its bytes do not have the hash in ce_xxh3";
  }
  auto number = headers.epoch;
  auto segment = headers.segment.value;
  if (!damage.empty()) {
    ++stats.corrupt;
    auto& partial = epoch.partial[segment];
    if (partial.chunks.empty()) partial.first_offset = record.offset;
    partial.late = late;
    auto reason = fmt::format("chunk {} at offset {}: {}", headers.chunk, record.offset, damage);
    if (partial.chunks.empty()) partial.chunks[-1].headers = headers;  // so that the loss can say what it was
    return lose(stream, number, segment, GapCause::kCorrupt, reason);
  }
  store(epoch, std::move(headers), record, now);
  auto& partial = epoch.partial[segment];
  partial.late = late;
  if (partial.last && partial.chunks.rbegin()->first > *partial.last) {
    ++stats.corrupt;
    return lose(stream, number, segment, GapCause::kCorrupt,
                "chunks follow the one that is marked as the last");
  }
  if (partial.last && static_cast<std::int64_t>(partial.chunks.size()) == *partial.last + 1) {
    return complete(stream, number, epoch, segment);
  }
  if (options.tells_chunks) tell_chunks(partial);
  evict();
}

// What has come in a row by now.
void ChunkAssembler::State::tell_chunks(Partial& partial) {
  for (auto next = partial.chunks.find(partial.told);
       next != partial.chunks.end() && next->first == partial.told; ++next, ++partial.told) {
    events.push_back(
        OpenChunk{next->second.headers, next->second.bytes, next->second.pinned_bytes, partial.late});
  }
}

void ChunkAssembler::State::store(EpochState& epoch, SegmentHeaders headers, const IncomingRecord& record,
                                  SteadyTime now) {
  epoch.digests.push_back({headers.segment, headers.chunk, headers.xxh3});
  if (epoch.digests.size() > kDigestsRemembered) epoch.digests.pop_front();
  auto& partial = epoch.partial[headers.segment.value];
  if (partial.chunks.empty()) partial.first_offset = record.offset;
  partial.first_offset = std::min(partial.first_offset, record.offset);
  partial.newest = now;
  if (headers.last_chunk) partial.last = headers.chunk;
  auto pinned = std::max(record.pinned_bytes, record.value.size());
  auto cost = record.value.size() + kChunkOverhead;
  partial.cost += cost;
  pending_bytes += cost;
  auto chunk = headers.chunk;
  partial.chunks.emplace(chunk, Chunk{record.value, std::move(headers), record.offset, pinned});
}

namespace {

// What is wrong with a segment whose chunks are all there; empty: nothing.
std::string fault_of(const AssembledSegment& segment, const Partial& partial, const AssemblerOptions& options,
                     std::string& sha256) {
  const auto& last = segment.headers;
  for (const auto& [number, chunk] : partial.chunks) {
    const auto& h = chunk.headers;
    if (h.writer != last.writer || h.ordinal != last.ordinal || h.content_type != last.content_type) {
      return fmt::format("chunk {} is of another segment than the last one", number);
    }
  }
  std::uint64_t size = segment.bytes.size();
  for (const auto& reference : segment.datarefs) size += reference.size;
  if (size != last.size)
    return fmt::format("it has {} bytes and ce_size says {}", size, last.size.value_or(0));
  if (!last.sha256) return {};
  if (!options.verify_sha256 || !segment.datarefs.empty()) {
    sha256 = *last.sha256;
    return {};
  }
  sha256 = sha256_hex(segment.bytes);
  return sha256 == *last.sha256 ? "" : "its bytes do not have the hash in ce_sha256";
}

}  // namespace

void ChunkAssembler::State::complete(StreamEpochs& stream, EpochNumber number, EpochState& epoch,
                                     std::int64_t segment) {
  auto& partial = epoch.partial[segment];
  AssembledSegment whole;
  whole.headers = partial.chunks.rbegin()->second.headers;
  for (const auto& [index, chunk] : partial.chunks) {
    whole.bytes.append(chunk.bytes);
    whole.pinned_bytes += chunk.pinned_bytes;
    whole.offsets.push_back(chunk.offset);
    if (chunk.headers.dataref) whole.datarefs.push_back(*chunk.headers.dataref);
  }
  std::string sha256;
  auto fault = fault_of(whole, partial, options, sha256);
  if (!fault.empty()) {
    ++stats.corrupt;
    return lose(stream, number, segment, GapCause::kCorrupt, fault);
  }
  whole.late = is_late(stream, number, whole.headers.late);
  if (epoch.newest_sha256 && epoch.newest_sha256->first + 1 == segment && whole.headers.sha256) {
    whole.chain_broken = whole.headers.previous_sha256 != epoch.newest_sha256->second;
  }
  if (whole.chain_broken) ++stats.chain_breaks;
  if (!sha256.empty()) epoch.newest_sha256 = std::pair(segment, sha256);
  ++stats.segments;
  stats.bytes += whole.bytes.size();
  pending_bytes -= partial.cost;
  epoch.partial.erase(segment);
  epoch.finish(segment);
  events.push_back(std::move(whole));
}

void ChunkAssembler::State::lose(StreamEpochs& stream, EpochNumber number, std::int64_t segment,
                                 GapCause cause, std::string reason) {
  auto& epoch = stream.epochs.find(number)->second;
  auto& partial = epoch.partial[segment];
  LostSegment lost;
  lost.cause = cause;
  lost.reason = std::move(reason);
  lost.headers = partial.chunks.rbegin()->second.headers;
  std::int64_t expected = 0;
  for (const auto& [index, chunk] : partial.chunks) {
    if (index == expected) lost.prefix.append(chunk.bytes), ++expected;
  }
  lost.prefix_chunks = static_cast<std::size_t>(expected);
  lost.has_hole = lost.prefix_chunks != partial.chunks.size() || cause == GapCause::kCorrupt;
  lost.late = partial.late;
  lost.first_offset = partial.first_offset;
  ++stats.lost_segments;
  pending_bytes -= partial.cost;
  epoch.partial.erase(segment);
  epoch.finish(segment);
  events.push_back(std::move(lost));
}

void ChunkAssembler::State::lose_epoch(StreamEpochs& stream, EpochNumber number, const std::string& reason) {
  auto& unfinished = stream.epochs.find(number)->second.partial;
  while (!unfinished.empty()) {
    const auto& [segment, partial] = *unfinished.begin();
    lose(stream, number, segment, GapCause::kLost, fmt::format("{}; {}", missing_chunks(partial), reason));
  }
}

void ChunkAssembler::State::lose_all(StreamEpochs& stream, std::optional<EpochNumber> below,
                                     const std::string& reason) {
  for (auto& [number, epoch] : stream.epochs) {
    if (!below || number < *below) lose_epoch(stream, number, reason);
  }
}

// The segment whose newest chunk is the oldest gives way.
void ChunkAssembler::State::evict() {
  while (pending_bytes > options.max_bytes) {
    StreamEpochs* stream = nullptr;
    EpochNumber number;
    std::int64_t segment = 0;
    SteadyTime oldest = SteadyTime::max();
    for (auto& [name, candidate] : streams) {
      for (auto& [epoch_number, epoch] : candidate.epochs) {
        for (auto& [index, partial] : epoch.partial) {
          if (stream && partial.newest >= oldest) continue;
          stream = &candidate, number = epoch_number, segment = index, oldest = partial.newest;
        }
      }
    }
    if (!stream) return;
    ++stats.evicted;
    lose(*stream, number, segment, GapCause::kOverBudget,
         fmt::format("more than {} bytes of unfinished segments are waiting", options.max_bytes));
  }
}

ChunkAssembler::ChunkAssembler(AssemblerOptions options) : state_(std::make_unique<State>()) {
  state_->options = options;
}
ChunkAssembler::~ChunkAssembler() = default;
ChunkAssembler::ChunkAssembler(ChunkAssembler&&) noexcept = default;
ChunkAssembler& ChunkAssembler::operator=(ChunkAssembler&&) noexcept = default;

std::vector<AssemblerEvent> ChunkAssembler::add(const IncomingRecord& record, SteadyTime now) {
  state_->take(record, now);
  return std::exchange(state_->events, {});
}

std::vector<AssemblerEvent> ChunkAssembler::expire(SteadyTime now) {
  for (auto& [name, stream] : state_->streams) {
    for (auto& [number, epoch] : stream.epochs) {
      for (auto next = epoch.partial.begin(); next != epoch.partial.end();) {
        auto current = next++;
        if (now - current->second.newest < state_->options.max_wait) continue;
        state_->lose(
            stream, number, current->first, GapCause::kLost,
            fmt::format("{} after waiting {}", missing_chunks(current->second),
                        std::chrono::duration_cast<std::chrono::seconds>(state_->options.max_wait).count()) +
                " s");
      }
    }
  }
  return std::exchange(state_->events, {});
}

std::vector<AssemblerEvent> ChunkAssembler::give_up(std::string_view stream) {
  auto found = state_->streams.find(stream);
  if (found != state_->streams.end()) state_->lose_all(found->second, std::nullopt, "reading ended here");
  return std::exchange(state_->events, {});
}

std::vector<AssemblerEvent> ChunkAssembler::give_up_all() {
  for (auto& [name, stream] : state_->streams) state_->lose_all(stream, std::nullopt, "reading ended here");
  return std::exchange(state_->events, {});
}

void ChunkAssembler::forget(std::string_view stream) {
  auto found = state_->streams.find(stream);
  if (found == state_->streams.end()) return;
  for (const auto& [number, epoch] : found->second.epochs) {
    for (const auto& [segment, partial] : epoch.partial) state_->pending_bytes -= partial.cost;
  }
  state_->streams.erase(found);
}

std::optional<Offset> ChunkAssembler::oldest_pending() const {
  std::optional<Offset> oldest;
  for (const auto& [name, stream] : state_->streams) {
    for (const auto& [number, epoch] : stream.epochs) {
      for (const auto& [segment, partial] : epoch.partial) {
        oldest = oldest ? std::min(*oldest, partial.first_offset) : partial.first_offset;
      }
    }
  }
  return oldest;
}

std::size_t ChunkAssembler::pending_bytes() const {
  return state_->pending_bytes;
}
const AssemblerStats& ChunkAssembler::stats() const {
  return state_->stats;
}

}  // namespace gopline::record
