#pragma once
#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "common/base/clock.h"
#include "common/base/strong_int.h"
#include "common/bytes/buffer.h"
#include "common/record/segment_headers.h"

// What the chunk assembler remembers; used by chunk_assembler.cpp only.
namespace gopline::record::assembler {

inline constexpr std::size_t kEpochsRemembered = 64;      // per stream
inline constexpr std::size_t kSegmentsRemembered = 1024;  // finished above the gap-free prefix, per epoch
inline constexpr std::size_t kDigestsRemembered = 256;    // per epoch
inline constexpr std::int64_t kMostChunks = 1 << 20;      // of one segment
inline constexpr std::size_t kChunkOverhead = 512;        // what a waiting chunk costs beside its bytes

struct Chunk {
  Buffer bytes;
  SegmentHeaders headers;
  Offset offset;
  std::size_t pinned_bytes = 0;
};

// A segment of which chunks are waiting.
struct Partial {
  std::map<std::int64_t, Chunk> chunks;
  std::optional<std::int64_t> last;  // number of the last chunk, once it came
  SteadyTime newest{};
  Offset first_offset{};
  bool late = false;  // when its newest chunk came
  std::size_t cost = 0;
  std::int64_t told = 0;  // of `chunks`, from 0 on
};

struct Digest {
  SegmentNumber segment;
  std::int64_t chunk = 0;
  std::string xxh3;
};

// What is known of one epoch of one stream.
struct EpochState {
  std::int64_t done_below = 0;  // every segment before it is finished or was given up
  std::set<std::int64_t> done;  // finished ones above
  std::map<std::int64_t, Partial> partial;
  std::deque<Digest> digests;                                         // of the newest chunks taken
  std::optional<std::pair<std::int64_t, std::string>> newest_sha256;  // segment, its digest
  std::optional<std::int64_t> headless;  // the segment in whose middle reading began
  std::set<std::string> markers;         // ids of markers seen

  bool is_done(std::int64_t segment) const { return segment < done_below || done.contains(segment); }
  void finish(std::int64_t segment) {
    done.insert(segment);
    // Beyond the bound the hole below is taken as finished: whatever it was, it is not coming.
    if (done.size() > kSegmentsRemembered) done_below = *done.begin();
    while (!done.empty() && *done.begin() <= done_below) {
      done_below = std::max(done_below, *done.begin() + 1);
      done.erase(done.begin());
    }
  }
};

struct StreamEpochs {
  std::map<EpochNumber, EpochState> epochs;
  std::optional<EpochNumber> newest;     // started
  std::optional<EpochNumber> forgotten;  // it and older ones are not remembered any more
};

}  // namespace gopline::record::assembler
