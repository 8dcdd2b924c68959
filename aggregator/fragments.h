#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "common/base/result.h"
#include "common/bytes/buffer_chain.h"
#include "common/media/segment_reader.h"

// What passing stored fragments on untouched needs to know of them. Pure functions.
namespace gopline::aggregator {

// One moof (ISO/IEC 14496-12, 8.8).
struct Fragment {
  std::size_t offset = 0;  // of the moof in the segment
  std::size_t size = 0;    // of the moof alone
  int track_id = 0;
  std::size_t time_at = 0;  // of the tfdt's 64-bit time, from the moof's first byte; 0: it has 32 bits
  std::uint64_t time = 0;
  std::uint64_t end = 0;  // time plus the samples' durations, where the trun has them
  std::uint32_t samples = 0;
};

// Those of a segment, in its order. kCorrupt where there is no box.
Result<std::vector<Fragment>> read_moofs(const Buffer& segment);

std::int64_t timescale_of(const media::Init& init, int track_id);  // 1 for a track that it does not have

// A segment's fragments moved in time, by `shift(track_id)` ticks of each track. Only the moofs are copied;
// samples stay where they are. kUnsupported where a fragment's time has 32 bits.
Result<BufferChain> moved_fragments(const Buffer& segment, const media::Init& init,
                                    const std::vector<Fragment>& fragments,
                                    const std::function<std::int64_t(int track_id)>& shift);

}  // namespace gopline::aggregator
