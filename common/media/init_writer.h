#pragma once
#include <vector>

#include "common/base/result.h"
#include "common/bytes/buffer.h"
#include "common/media/types.h"

namespace gopline::media {

// What the init of one track needs beyond the track: the first packets show it.
struct InitHints {
  bool in_band_parameter_sets = false;  // avc3/hev1 instead of avc1/hvc1
  Packet first_packet;                  // AC-3: the sample entry is made from its header; else unused
};

// ftyp and moov (ISO/IEC 14496-12, 4.3 and 8.2) of fragmented segments: no edit list, mdhd timescale = the
// denominator of the source's time base. libavformat makes the sample entries; brands, time scales and G.711
// entries are ours. The same input gives the same bytes. kUnsupported when libavformat cannot make a sample
// entry.
Result<Buffer> write_init(const std::vector<Track>& tracks, const std::vector<InitHints>& hints);

}  // namespace gopline::media
