#pragma once
#include <memory>

#include "common/base/result.h"
#include "common/bytes/buffer.h"
#include "common/media/frames/picture.h"

namespace gopline::media {

// Pictures as JPEG files (baseline, full range, as JFIF has it), by libavcodec. Not thread-safe.
class JpegEncoder {
 public:
  // `quality` from 2 (best) to 31, as FFmpeg's -q:v. `most_width`: larger pictures are made smaller, their
  // shape kept; 0: as they are.
  explicit JpegEncoder(int quality = 4, int most_width = 0);
  ~JpegEncoder();

  Result<Buffer> encode(const Picture& picture);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gopline::media
