#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/bytes/buffer.h"
#include "common/media/frames/orientation.h"
#include "common/media/frames/picture.h"
#include "common/media/types.h"

namespace gopline::media {

// What a file of one picture is.
struct StillImage {
  CodecParameters codec;           // as a track of such files has them: "mjpeg", "png" or "tiff"
  Picture picture;                 // as stored
  Orientation orientation;         // how it is to be turned, by its EXIF data
  std::optional<Timestamp> taken;  // by its EXIF data; where these name no zone, in UTC
};

// Pictures of more pixels are not looked at: a small file may claim to be a very large picture.
inline constexpr std::int64_t kMostPixels = std::int64_t{1} << 27;

// Reads a JPEG, PNG or TIFF file by decoding it, strictly: what is cut short or contradicts itself is
// kCorrupt, so what was read once is decoded by others too. kUnsupported: it is none of the three.
Result<StillImage> read_still_image(const Buffer& file);

// The picture as it is to be shown; itself where nothing is to be turned. The turned one is yuv420p.
Result<Picture> upright(const Picture& picture, const Orientation& orientation);

// EXIF's "2026:11:22 18:30:00", its fraction of a second ("25" is 0.25 s) and its zone ("+01:00"); the last
// two may be empty.
std::optional<Timestamp> parse_exif_time(std::string_view time, std::string_view fraction,
                                         std::string_view zone);

}  // namespace gopline::media
