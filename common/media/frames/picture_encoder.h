#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/rational.h"
#include "common/base/result.h"
#include "common/media/frames/picture.h"
#include "common/media/types.h"

namespace gopline::media {

struct PictureEncoderOptions {
  int width = 0;   // even
  int height = 0;  // even
  Rational frame_rate{25, 1};
  std::string container;    // libavformat's short name, or "fmp4": decides where parameter sets go
  bool low_delay = false;   // a picture's packet comes before the next picture
  bool hd_colours = true;   // the pictures are BT.709, else BT.601
  int pictures_in_gop = 0;  // 0: so many as frame_rate says are a second or two
  Rational sample_aspect_ratio{1, 1};
  std::int64_t most_bit_rate = 0;  // bits a second, over any second; 0: as the pictures want it
};

// Pictures to H.264 (libx264). The number of threads is fixed, so the same pictures give the same packets on
// every machine with the same libx264. Not thread-safe.
class PictureEncoder {
 public:
  virtual ~PictureEncoder() = default;
  // kUnsupported: this FFmpeg has no libx264, or it refuses such pictures.
  static Result<std::unique_ptr<PictureEncoder>> open(const PictureEncoderOptions& options);

  virtual const Track& track() const = 0;  // its time base is a picture's duration
  // Appends what is ready to `out`. `index`: of the picture, growing.
  virtual Result<void> encode(const Picture& picture, std::int64_t index, std::vector<Packet>& out) = 0;
  virtual Result<void> finish(std::vector<Packet>& out) = 0;
};

}  // namespace gopline::media
