#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/clock.h"
#include "common/base/headers.h"
#include "common/base/result.h"
#include "common/base/strong_int.h"
#include "common/bytes/buffer.h"
#include "common/bytes/buffer_chain.h"
#include "common/record/markers.h"
#include "common/record/segment_headers.h"

namespace gopline::record {

// One record of NS.segments as the assembler needs it. Views last only as long as the call.
struct IncomingRecord {
  Offset offset;
  Timestamp timestamp;
  std::string_view key;
  const Headers* headers = nullptr;
  Buffer value;                       // shared, never copied; empty for a null value
  std::optional<std::string> damage;  // what the log knows to be wrong with the stored bytes
  std::size_t pinned_bytes = 0;       // of memory that holding `value` keeps alive; 0: its size
};

// A segment that came whole: every chunk, every hash, its size.
struct AssembledSegment {
  SegmentHeaders headers;  // of the last chunk
  BufferChain bytes;  // chunks in a row; shares the records' memory. Empty where `datarefs` has the payload
  std::size_t pinned_bytes = 0;   // of memory that `bytes` keep alive; a block counts for each chunk in it
  std::vector<Offset> offsets;    // of its chunks
  std::vector<DataRef> datarefs;  // claim checks in chunk order; empty when the payload came in the records
  bool late = false;          // of an epoch older than the newest started: history, not for live followers
  bool chain_broken = false;  // ce_prevsha256 does not name the segment that came before
};

// A chunk of a segment of which more is to come; those before it have been told. What the last one completes
// is told as a whole, and only then are its size and its SHA-256 verified.
struct OpenChunk {
  SegmentHeaders headers;
  Buffer bytes;                  // verified by its own hash
  std::size_t pinned_bytes = 0;  // of memory that `bytes` keep alive
  bool late = false;
};

// A segment of which something came and that will not become whole.
struct LostSegment {
  SegmentHeaders headers;  // of the newest chunk that came
  GapCause cause = GapCause::kLost;
  std::string reason;  // for people: "chunk 3 is missing"
  BufferChain prefix;  // the chunks from 0 that came whole: complete parts in it are playable
  std::size_t prefix_chunks = 0;
  bool has_hole = false;  // others came behind them, or damaged
  bool late = false;
  Offset first_offset;  // the lowest of its chunks that came
};

struct StartedEpoch {
  EpochNumber epoch;  // epoch_base + offset
  Offset offset;
  EpochStarted marker;
};
struct EndedEpoch {
  EpochEnded marker;
};
struct WrittenGap {
  Gap marker;
};
// A record that could not be used at all.
struct BadRecord {
  Offset offset;
  std::string stream;  // its key
  Error error;         // kCorrupt, or kUnsupported: written by a newer version
};

using AssemblerEvent =
    std::variant<AssembledSegment, OpenChunk, LostSegment, StartedEpoch, EndedEpoch, WrittenGap, BadRecord>;

struct AssemblerOptions {
  std::size_t max_bytes =
      128 << 20;  // of chunks that wait, over all streams; beyond it the oldest segment is given up. Not of
                  // the blocks they lie in: what is told as lost must not depend on how a log reads
  Duration max_wait = std::chrono::seconds(30);  // for a segment's missing chunk, since its newest one came
  bool verify_xxh3 = true;
  bool verify_sha256 = true;  // where the headers have it
  // The first record need not be the stream's first: of a segment in whose middle the reading of an epoch
  // begins, the chunks are counted and passed over.
  bool joins = false;
  bool tells_chunks = false;  // as OpenChunk, for who plays before a segment is whole
};

struct AssemblerStats {
  std::uint64_t records = 0;
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;       // of whole segments
  std::uint64_t duplicates = 0;  // (source, id) seen before: dropped
  std::uint64_t conflicts = 0;   // the same id with another hash: dropped, the first stays
  std::uint64_t late = 0;        // chunks of an epoch older than the newest started
  std::uint64_t headless = 0;    // chunks of a segment that had begun before the reading did: passed over
  std::uint64_t corrupt = 0;     // hash, size or headers wrong
  std::uint64_t lost_segments = 0;
  std::uint64_t evicted = 0;  // of those, for want of memory
  std::uint64_t chain_breaks = 0;
  std::uint64_t unknown_records = 0;  // foreign types
  std::uint64_t unknown_headers = 0;
  bool operator==(const AssemblerStats&) const = default;
};

// Makes verified segments of the records of NS.segments, of one stream or of many: an idempotent receiver.
//
// Chunks are collected per (stream, epoch, segment) until every number from 0 to the last is there; whatever
// order they come in, a whole segment is told once. A newer epoch.started, epoch.ended and a gap give up what
// was left unfinished before them. What was seen before is known from little: per stream and epoch the number
// below which every segment is finished, the finished ones above it, and the digests of the newest few
// hundred chunks (to tell a duplicate from a conflict). That is enough because ids are dense: (source, id) is
// (stream, epoch, segment, chunk), and numbers have no holes.
//
// Missing segment numbers are not told here: they are for whoever puts segments in order. Memory is bounded
// by `max_bytes` and by a few KB per stream. Not thread-safe.
class ChunkAssembler {
 public:
  explicit ChunkAssembler(AssemblerOptions options = {});
  ~ChunkAssembler();
  ChunkAssembler(ChunkAssembler&&) noexcept;
  ChunkAssembler& operator=(ChunkAssembler&&) noexcept;

  // Takes one record; what followed from it, in order.
  std::vector<AssemblerEvent> add(const IncomingRecord& record, SteadyTime now);

  // Gives up segments that have waited too long. Call it now and then with the clock's steady time.
  std::vector<AssemblerEvent> expire(SteadyTime now);

  // Gives up everything unfinished, of one stream or of all: at the end of what is to be read.
  std::vector<AssemblerEvent> give_up(std::string_view stream);
  std::vector<AssemblerEvent> give_up_all();

  // Forgets a stream, what waits of it included: its records are about to be read once more.
  void forget(std::string_view stream);

  // The lowest offset of a chunk that is still waiting (of one partition's records): what precedes it is
  // finished and may be committed. nullopt: none waits.
  std::optional<Offset> oldest_pending() const;
  std::size_t pending_bytes() const;
  const AssemblerStats& stats() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gopline::record
