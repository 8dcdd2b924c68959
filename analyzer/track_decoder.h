#pragma once
#include <memory>
#include <vector>

#include "analyzer/analyzer.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/media/types.h"

namespace gopline::analyzer {

// What comes out for a packet: a picture, or sound.
struct DecodedFrame {
  Timestamp time;
  Duration duration{};
  media::Picture picture;
  std::vector<float> samples;
};

// The track that an analyzer wishes for, to pictures or to sound. Not thread-safe.
class TrackDecoder {
 public:
  virtual ~TrackDecoder() = default;
  // kUnsupported: this FFmpeg cannot decode it.
  static Result<std::unique_ptr<TrackDecoder>> open(const media::Track& track, const Wishes& wishes);

  // As media::PictureDecoder and media::SoundDecoder have it.
  virtual Result<void> decode(const media::Packet& packet, Timestamp zero,
                              std::vector<DecodedFrame>& out) = 0;
  virtual void skip_disposable(bool skip) = 0;
  virtual void drain(std::vector<DecodedFrame>& out) = 0;
};

}  // namespace gopline::analyzer
