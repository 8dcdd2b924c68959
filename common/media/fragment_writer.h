#pragma once
#include <cstdint>

#include "common/base/result.h"
#include "common/bytes/buffer_chain.h"
#include "common/media/segment.h"
#include "common/media/types.h"

namespace gopline::media {

// One run as one `moof mdat` (ISO/IEC 14496-12, 8.8.4 to 8.8.12): mfhd, one traf with tfhd, tfdt and one
// trun, then the exact box. Payloads above a few KiB are shared with the packets, smaller ones are copied
// together. `sequence` is mfhd's. kTooLarge when the run holds 4 GiB or more, or more exact entries than the
// box can count.
Result<BufferChain> write_fragment(const Run& run, const Track& track, std::uint32_t sequence);

}  // namespace gopline::media
