#pragma once
#include <string>
#include <string_view>

#include "common/media/types.h"

// Which codecs an MP4 sample entry can carry, and under which four characters (the MP4 registration
// authority's).
namespace gopline::media {

// Whether segments of this codec are fragmented MP4. Fixed by docs/record-format.md, not by what libavformat
// happens to write.
bool has_sample_entry(std::string_view codec);

// Whether all audio and video tracks have one; else the epoch's segments are NUT.
bool fits_mp4(const std::vector<Track>& tracks);

}  // namespace gopline::media
