#pragma once
#include <memory>

#include "common/base/result.h"
#include "common/media/av.h"
#include "common/media/types.h"

namespace gopline::media {

// Turns one track's packets into the carried form.
class TrackConverter {
 public:
  virtual ~TrackConverter() = default;
  virtual Result<void> convert(Packet& packet) = 0;
};

class AnnexBConverter final : public TrackConverter {
 public:
  Result<void> convert(Packet& packet) override;
};

// ADTS headers are dropped by libavcodec's filter, which also finds the AudioSpecificConfig in the first
// header.
class AdtsConverter final : public TrackConverter {
 public:
  static Result<std::unique_ptr<AdtsConverter>> create(const AVStream& stream);
  Result<void> convert(Packet& packet) override;
  const Buffer& audio_specific_config() const {
    return audio_specific_config_;
  }  // empty before the first header

 private:
  AdtsConverter() = default;
  AvBsfPtr filter_;
  Buffer audio_specific_config_;
};

}  // namespace gopline::media
