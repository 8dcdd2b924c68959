#pragma once
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/media/frames/picture.h"

namespace gopline::media {

// A frame around part of a picture, in fractions of it, with a word on it.
struct Mark {
  double x = 0, y = 0, width = 1, height = 1;
  std::string word;
  int colour = 0;  // which of a few
};

// Draws on copies of pictures: yuv420p of even size, whatever they are. Not thread-safe.
class MarkerPen {
 public:
  virtual ~MarkerPen() = default;
  // kNotFound: there is no font.
  static Result<std::unique_ptr<MarkerPen>> open();

  virtual Result<Picture> draw(const Picture& picture, const std::vector<Mark>& marks) = 0;
};

}  // namespace gopline::media
