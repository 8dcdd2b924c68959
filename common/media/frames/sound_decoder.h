#pragma once
#include <memory>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/media/types.h"

namespace gopline::media {

struct DecodedSound {
  Timestamp time;              // of its first sample
  std::vector<float> samples;  // interleaved
};

// Packets of an audio track to sound of one rate and number of channels, whatever the source has and changes
// to. Not thread-safe.
class SoundDecoder {
 public:
  virtual ~SoundDecoder() = default;
  // `channels`: 1 or 2. kUnsupported: this FFmpeg cannot decode it.
  static Result<std::unique_ptr<SoundDecoder>> open(const Track& track, int rate, int channels);

  // Appends what can be heard now. As PictureDecoder::decode().
  virtual Result<void> decode(const Packet& packet, Timestamp zero, std::vector<DecodedSound>& out) = 0;
  // Forgets what came: what follows does not go on with it.
  virtual void drain(std::vector<DecodedSound>& out) = 0;
};

}  // namespace gopline::media
