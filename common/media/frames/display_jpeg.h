#pragma once
#include "common/base/result.h"
#include "common/bytes/buffer.h"
#include "common/media/frames/orientation.h"
#include "common/media/frames/picture.h"
#include "common/media/types.h"

namespace gopline::media {

// The picture as it is to be shown, turned and with square pixels, as a JPEG file. `pixel_shape`: the track's
// sample aspect ratio, which goes before the picture's own; 0: not known. `max_width`: it is made smaller to
// fit, never larger; 0: as large as it is.
Result<Buffer> to_jpeg(const Picture& picture, const Orientation& orientation, Rational pixel_shape,
                       int max_width);

}  // namespace gopline::media
