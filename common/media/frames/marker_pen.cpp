#include "common/media/frames/marker_pen.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "common/media/frames/label_font.h"
#include "common/media/frames/lettering.h"
#include "common/media/frames/picture_converter.h"

namespace gopline::media {
namespace {

constexpr int kLine = 2;  // pixels: one of each colour plane
constexpr int kLinesInPicture = 32, kSmallest = 10, kLargest = 32;

struct Colour {
  std::uint8_t y, u, v;
};
constexpr std::array<Colour, 6> kColours{
    {{82, 90, 240}, {145, 54, 34}, {210, 16, 146}, {170, 166, 16}, {106, 202, 222}, {180, 60, 170}}};

int even_pixel(double fraction, int size) {
  return static_cast<int>(std::lround(std::clamp(fraction, 0.0, 1.0) * size)) / 2 * 2;
}

class SoftMarkerPen final : public MarkerPen {
 public:
  Result<Picture> draw(const Picture& picture, const std::vector<Mark>& marks) override {
    int width = picture.width() / 2 * 2, height = picture.height() / 2 * 2;
    if (!converter_ || width != width_ || height != height_) {
      converter_.emplace(PictureWish{PixelFormat::kYuv420p, width, height});
      auto lines = std::clamp(height / kLinesInPicture, kSmallest, kLargest);
      GOPLINE_ASSIGN(font_, LabelFont::open(lines));
      width_ = width;
      height_ = height;
    }
    GOPLINE_ASSIGN(auto plain, converter_->convert(picture));
    GOPLINE_ASSIGN(auto copy, make_frame(width, height));
    if (int code = av_frame_copy(copy.get(), &plain.frame()); code < 0)
      return fail_av(code, "copying a picture");
    copy->colorspace = plain.frame().colorspace;
    copy->color_range = plain.frame().color_range;
    for (const auto& mark : marks) draw_one(*copy, mark);
    return Picture(std::shared_ptr<const AVFrame>(std::move(copy)));
  }

 private:
  void draw_one(AVFrame& frame, const Mark& mark) {
    auto count = static_cast<int>(kColours.size());
    const auto& colour = kColours[static_cast<std::size_t>((mark.colour % count + count) % count)];
    int left = even_pixel(mark.x, frame.width), right = even_pixel(mark.x + mark.width, frame.width);
    int top = even_pixel(mark.y, frame.height), bottom = even_pixel(mark.y + mark.height, frame.height);
    fill(frame, left, top, right, top + kLine, colour);
    fill(frame, left, bottom - kLine, right, bottom, colour);
    fill(frame, left, top, left + kLine, bottom, colour);
    fill(frame, right - kLine, top, right, bottom, colour);
    if (mark.word.empty()) return;
    auto word = font_->render(mark.word);
    bool fits_above = top >= word.height;
    write_text(frame, word, left, fits_above ? top - word.height : top + kLine);
  }

  static void fill(AVFrame& frame, int left, int top, int right, int bottom, const Colour& colour) {
    std::array<std::uint8_t, 3> values{colour.y, colour.u, colour.v};
    for (int plane = 0; plane < 3; ++plane) {
      int part = plane == 0 ? 1 : 2;
      int from = std::clamp(left, 0, frame.width) / part, to = std::clamp(right, 0, frame.width) / part;
      for (int row = std::max(top, 0) / part; row < std::min(bottom, frame.height) / part && from < to;
           ++row) {
        auto* line = frame.data[plane] + static_cast<std::ptrdiff_t>(row) * frame.linesize[plane];
        std::fill(line + from, line + to, values[static_cast<std::size_t>(plane)]);
      }
    }
  }

  std::optional<PictureConverter> converter_;
  std::unique_ptr<LabelFont> font_;
  int width_ = 0, height_ = 0;
};

}  // namespace

Result<std::unique_ptr<MarkerPen>> MarkerPen::open() {
  if (auto font = LabelFont::open(kSmallest); !font) return tl::unexpected<Error>(std::move(font.error()));
  return std::make_unique<SoftMarkerPen>();
}

}  // namespace gopline::media
