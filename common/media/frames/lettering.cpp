#include "common/media/frames/lettering.h"

#include <algorithm>

namespace gopline::media {
void write_text(AVFrame& picture, const TextBitmap& text, int x, int y) {
  int left = std::max(x, 0), right = std::min(x + text.width, picture.width);
  for (int row = std::max(y, 0); row < std::min(y + text.height, picture.height); ++row) {
    auto* line = picture.data[0] + static_cast<std::ptrdiff_t>(row) * picture.linesize[0];
    for (int column = left; column < right; ++column) {
      int cover = text.coverage[static_cast<std::size_t>((row - y) * text.width + column - x)];
      int below = (line[column] + 3 * kBlack) / 4;
      line[column] = static_cast<std::uint8_t>((below * (255 - cover) + kWhite * cover) / 255);
    }
    if (left >= right || row % 2 != 0) continue;
    for (int plane = 1; plane < 3; ++plane) {
      auto* colours = picture.data[plane] + static_cast<std::ptrdiff_t>(row / 2) * picture.linesize[plane];
      std::fill(colours + left / 2, colours + (right + 1) / 2, kNoColour);
    }
  }
}

}  // namespace gopline::media
