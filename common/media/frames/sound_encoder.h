#pragma once
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/media/types.h"

namespace gopline::media {

// Interleaved samples to AAC. Not thread-safe.
class SoundEncoder {
 public:
  virtual ~SoundEncoder() = default;
  // `container`: as PictureEncoderOptions; `index`: of the track among the output's.
  static Result<std::unique_ptr<SoundEncoder>> open(int rate, int channels, const std::string& container,
                                                    int index);

  virtual const Track& track() const = 0;  // its time base is a sample
  // Samples follow one another from time 0 on. Appends what is ready to `out`.
  virtual Result<void> encode(const std::vector<float>& samples, std::vector<Packet>& out) = 0;
  virtual Result<void> finish(std::vector<Packet>& out) = 0;
};

}  // namespace gopline::media
