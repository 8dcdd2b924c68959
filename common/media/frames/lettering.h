#pragma once
// Words on pictures. Included by .cpp files of this room only.
#include <cstdint>

#include "common/media/frames/av_frames.h"
#include "common/media/frames/label_font.h"

namespace gopline::media {

// Of limited range.
inline constexpr std::uint8_t kBlack = 16, kWhite = 235, kNoColour = 128;

// White on what lies below, darkened; what reaches over the edge of the yuv420p picture is left out.
void write_text(AVFrame& picture, const TextBitmap& text, int x, int y);

}  // namespace gopline::media
