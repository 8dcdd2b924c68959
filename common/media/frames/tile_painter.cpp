#include "common/media/frames/tile_painter.h"

#include <algorithm>
#include <tuple>

#include "common/media/frames/av_frames.h"
#include "common/media/frames/label_font.h"
#include "common/media/frames/lettering.h"

namespace gopline::media {
namespace {

constexpr int kLeastText = 8, kMostText = 48, kLinesInTile = 20;

struct Place {
  int x = 0, y = 0, width = 0, height = 0;  // all even
};

void fill_black(AVFrame& frame) {
  for (int plane = 0; plane < 3; ++plane) {
    auto rows = plane == 0 ? frame.height : (frame.height + 1) / 2;
    auto bytes = static_cast<std::size_t>(frame.linesize[plane]) * static_cast<std::size_t>(rows);
    std::fill_n(frame.data[plane], bytes, plane == 0 ? kBlack : kNoColour);
  }
}

int even(double value, int most) {
  int rounded = static_cast<int>(value / 2 + 0.5) * 2;
  return std::clamp(rounded, 2, most);
}

// The largest place in the tile that has the picture's proportions.
Place fit(double width, double height, const TileOptions& tile) {
  double scale = std::min(tile.width / width, tile.height / height);
  Place place;
  place.width = even(width * scale, tile.width);
  place.height = even(height * scale, tile.height);
  place.x = (tile.width - place.width) / 4 * 2;
  place.y = (tile.height - place.height) / 4 * 2;
  return place;
}

// Copies a plane to (x, y) of another, turned.
void turn_plane(const AVFrame& from, AVFrame& to, int plane, const Place& place,
                const Orientation& orientation) {
  int half = plane == 0 ? 1 : 2;
  int width = place.width / half, height = place.height / half;
  auto* target =
      to.data[plane] + static_cast<std::ptrdiff_t>(place.y / half) * to.linesize[plane] + place.x / half;
  if (orientation == Orientation{}) {
    av_image_copy_plane(target, to.linesize[plane], from.data[plane], from.linesize[plane], width, height);
    return;
  }
  for (int row = 0; row < height; ++row, target += to.linesize[plane]) {
    int v = orientation.flip_y ? height - 1 - row : row;
    for (int column = 0; column < width; ++column) {
      int u = orientation.flip_x ? width - 1 - column : column;
      int source_row = orientation.transposed ? u : v, source_column = orientation.transposed ? v : u;
      target[column] =
          from.data[plane][static_cast<std::ptrdiff_t>(source_row) * from.linesize[plane] + source_column];
    }
  }
}

class SwsTilePainter final : public TilePainter {
 public:
  SwsTilePainter(const TileOptions& options, std::unique_ptr<LabelFont> font)
      : options_(options), font_(std::move(font)) {}

  Result<Picture> paint(const Picture& picture, const Orientation& orientation, Rational pixel_shape,
                        const std::vector<std::string>& label) override {
    const auto& source = picture.frame();
    auto shape = pixel_shape.num > 0 ? pixel_shape : from_av(source.sample_aspect_ratio);
    double width = source.width * (shape.num > 0 && shape.den > 0 ? shape.to_double() : 1.0);
    double height = source.height;
    if (orientation.transposed) std::swap(width, height);
    auto place = fit(width, height, options_);
    auto [scaled_width, scaled_height] = std::pair(place.width, place.height);
    if (orientation.transposed) std::swap(scaled_width, scaled_height);
    GOPLINE_ASSIGN(auto scaled, scale(source, scaled_width, scaled_height));
    GOPLINE_ASSIGN(auto tile, make_frame(options_.width, options_.height));
    fill_black(*tile);
    for (int plane = 0; plane < 3; ++plane) turn_plane(*scaled, *tile, plane, place, orientation);
    write_label(*tile, label);
    return Picture(std::shared_ptr<const AVFrame>(std::move(tile)));
  }

  Result<Picture> paint_notice(const std::vector<std::string>& notice,
                               const std::vector<std::string>& label) override {
    GOPLINE_ASSIGN(auto tile, make_frame(options_.width, options_.height));
    fill_black(*tile);
    if (font_) {
      auto lines = render(notice);
      int height = 0;
      for (const auto& line : lines) height += line.height;
      int y = (options_.height - height) / 2;
      for (const auto& line : lines) {
        write_text(*tile, line, (options_.width - line.width) / 2, y);
        y += line.height;
      }
    }
    write_label(*tile, label);
    return Picture(std::shared_ptr<const AVFrame>(std::move(tile)));
  }

 private:
  Result<AvFramePtr> scale(const AVFrame& source, int width, int height) {
    GOPLINE_ASSIGN(auto scaled, make_frame(width, height));
    GOPLINE_TRY(prepare(source, width, height));
    int code =
        sws_scale(sws_.get(), source.data, source.linesize, 0, source.height, scaled->data, scaled->linesize);
    if (code < 0) return fail_av(code, "a picture cannot be scaled");
    return scaled;
  }

  Result<void> prepare(const AVFrame& source, int width, int height) {
    auto key = std::tuple(source.width, source.height, source.format, static_cast<int>(source.colorspace),
                          static_cast<int>(source.color_range), width, height);
    if (sws_ && key == key_) return {};
    sws_.reset(sws_getContext(source.width, source.height, static_cast<AVPixelFormat>(source.format), width,
                              height, AV_PIX_FMT_YUV420P, SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT,
                              nullptr, nullptr, nullptr));
    if (!sws_) {
      const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(source.format));
      return fail(ErrorCode::kUnsupported, "pictures of {}x{} in {} cannot be scaled to {}x{}", source.width,
                  source.height, name ? name : "an unknown format", width, height);
    }
    key_ = key;
    int ours = options_.hd_colours ? SWS_CS_ITU709 : SWS_CS_ITU601;
    bool said = source.colorspace != AVCOL_SPC_UNSPECIFIED && source.colorspace != AVCOL_SPC_RGB;
    const auto* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(source.format));
    bool usually_full = format->nb_components < 3 || std::string_view(format->name).substr(0, 4) == "yuvj";
    bool full =
        source.color_range == AVCOL_RANGE_UNSPECIFIED ? usually_full : source.color_range == AVCOL_RANGE_JPEG;
    // Fails where there is nothing to set, as between greys: then there is nothing to convert either.
    sws_setColorspaceDetails(sws_.get(), sws_getCoefficients(said ? source.colorspace : ours), full ? 1 : 0,
                             sws_getCoefficients(ours), 0, 0, 1 << 16, 1 << 16);
    return {};
  }

  std::vector<TextBitmap> render(const std::vector<std::string>& lines) {
    std::vector<TextBitmap> out;
    for (const auto& line : lines) out.push_back(font_->render(line));
    return out;
  }

  void write_label(AVFrame& tile, const std::vector<std::string>& label) {
    if (!font_ || label.empty()) return;
    std::string joined;
    for (const auto& line : label) joined += joined.empty() ? line : "  " + line;
    auto lines = render({joined});
    if (lines.front().width > tile.width) lines = render(label);
    int y = tile.height;
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
      y -= line->height;
      write_text(tile, *line, 0, y);
    }
  }

  TileOptions options_;
  std::unique_ptr<LabelFont> font_;  // nullptr: no labels
  SwsPtr sws_;
  std::tuple<int, int, int, int, int, int, int> key_;  // what it was made for
};

}  // namespace

Result<std::unique_ptr<TilePainter>> TilePainter::open(const TileOptions& options) {
  std::unique_ptr<LabelFont> font;
  if (options.labels) {
    GOPLINE_ASSIGN(font, LabelFont::open(std::clamp(options.height / kLinesInTile, kLeastText, kMostText)));
  }
  return std::make_unique<SwsTilePainter>(options, std::move(font));
}

}  // namespace gopline::media
