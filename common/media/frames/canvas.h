#pragma once
#include <memory>

#include "common/base/result.h"
#include "common/media/frames/picture.h"

namespace gopline::media {

// A picture that tiles are laid onto, black where there are none. A picture that was taken from it stays as
// it was. Not thread-safe.
class Canvas {
 public:
  static Result<Canvas> make(int width, int height);  // both even

  // A yuv420p tile with its upper left corner at (x, y), both even, inside the canvas.
  Result<void> place(const Picture& tile, int x, int y);
  Picture picture() const { return Picture(frame_); }

 private:
  explicit Canvas(std::shared_ptr<AVFrame> frame) : frame_(std::move(frame)) {}

  std::shared_ptr<AVFrame> frame_;
};

}  // namespace gopline::media
