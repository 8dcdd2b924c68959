#pragma once
#include <memory>
#include <optional>
#include <string_view>

#include "common/base/result.h"
#include "common/media/frames/picture.h"

namespace gopline::media {

// How samples lie in a picture.
enum class PixelFormat {
  kAsDecoded,  // whatever the decoder gives
  kGray8,      // one byte of brightness a pixel
  kBgr24,      // three bytes a pixel, as OpenCV has it
  kRgb24,
  kYuv420p,
};
std::string_view to_string(PixelFormat format);  // "native", "gray8", "bgr24", "rgb24", "yuv420p"
std::optional<PixelFormat> pixel_format_from(std::string_view text);

// What a picture shall be. Of width and height 0 follows from the other and the picture's shape; both 0: as
// decoded.
struct PictureWish {
  PixelFormat format = PixelFormat::kAsDecoded;
  int width = 0, height = 0;
  bool operator==(const PictureWish&) const = default;
};

// Gives pictures the size and format that somebody wishes for. One that has them already is handed on as it
// is; so is the brightness of a planar YUV picture of 8 bits, which is its first plane (as coded: 16 to 235
// in video range). All else goes through libswscale. Not thread-safe.
class PictureConverter {
 public:
  explicit PictureConverter(PictureWish wish);
  ~PictureConverter();
  PictureConverter(PictureConverter&&) noexcept;
  PictureConverter& operator=(PictureConverter&&) noexcept;

  Result<Picture> convert(const Picture& picture);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gopline::media
