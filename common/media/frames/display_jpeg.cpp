#include "common/media/frames/display_jpeg.h"

#include <algorithm>
#include <cmath>

#include "common/media/frames/av_frames.h"
#include "common/media/frames/jpeg.h"
#include "common/media/frames/tile_painter.h"

namespace gopline::media {
namespace {

constexpr int kQuality = 3;
constexpr double kMost = 8192;  // pixels of a side

int even_side(double side) {
  return std::max(2, static_cast<int>(std::lround(std::min(side, kMost) / 2)) * 2);
}

// A tile that the picture fills.
TileOptions tile_for(const AVFrame& frame, const Orientation& orientation, Rational pixel_shape,
                     int max_width) {
  auto shape = pixel_shape.num > 0 ? pixel_shape : from_av(frame.sample_aspect_ratio);
  double width = frame.width * (shape.num > 0 && shape.den > 0 ? shape.to_double() : 1.0);
  double height = frame.height;
  if (orientation.transposed) std::swap(width, height);
  double scale = max_width > 0 ? std::min(1.0, max_width / width) : 1.0;
  TileOptions tile;
  tile.width = even_side(width * scale);
  tile.height = even_side(height * scale);
  tile.labels = false;
  tile.hd_colours = false;  // JFIF knows BT.601 alone
  return tile;
}

}  // namespace

Result<Buffer> to_jpeg(const Picture& picture, const Orientation& orientation, Rational pixel_shape,
                       int max_width) {
  GOPLINE_ASSIGN(auto painter,
                 TilePainter::open(tile_for(picture.frame(), orientation, pixel_shape, max_width)));
  GOPLINE_ASSIGN(auto tile, painter->paint(picture, orientation, pixel_shape, {}));
  return JpegEncoder(kQuality).encode(tile);
}

}  // namespace gopline::media
