#pragma once
#include <memory>
#include <string>
#include <vector>

#include "common/base/rational.h"
#include "common/base/result.h"
#include "common/media/frames/orientation.h"
#include "common/media/frames/picture.h"

namespace gopline::media {

struct TileOptions {
  int width = 0;   // even
  int height = 0;  // even
  bool labels = true;
  bool hd_colours = true;  // BT.709, else BT.601; what a source does not say is taken to be the same
};

// Pictures of any size, shape and format as tiles of one size: turned as they are to be shown, scaled with
// their proportions kept, black beside them, words on them. yuv420p, limited range. Not thread-safe.
class TilePainter {
 public:
  virtual ~TilePainter() = default;
  // kNotFound: labels are wanted, and there is no font.
  static Result<std::unique_ptr<TilePainter>> open(const TileOptions& options);

  // `pixel_shape`: the track's sample aspect ratio, which goes before the picture's own; 0: not known.
  // `label`: lines at the lower edge, which become one where there is room.
  virtual Result<Picture> paint(const Picture& picture, const Orientation& orientation, Rational pixel_shape,
                                const std::vector<std::string>& label) = 0;
  // Words in the middle of an empty tile; left out where labels are.
  virtual Result<Picture> paint_notice(const std::vector<std::string>& notice,
                                       const std::vector<std::string>& label) = 0;
};

}  // namespace gopline::media
