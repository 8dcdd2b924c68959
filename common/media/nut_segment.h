#pragma once
#include <vector>

#include "common/base/result.h"
#include "common/bytes/buffer_chain.h"
#include "common/media/segment.h"
#include "common/media/types.h"

namespace gopline::media {

// A segment whose codecs no MP4 sample entry carries, as one NUT file with an exact-data stream beside its
// tracks (docs/record-format.md, "NUT segments"). The same segment gives the same bytes.
Result<BufferChain> write_nut_segment(const Segment& segment, const std::vector<Track>& tracks);

// Its packets in file order, exactly as the source had them. kCorrupt when the file or the exact data do not
// parse.
Result<std::vector<Packet>> read_nut_segment(const Buffer& segment, const std::vector<Track>& tracks);

}  // namespace gopline::media
