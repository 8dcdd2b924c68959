#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/media/frames/picture.h"
#include "common/media/types.h"

namespace gopline::media {

struct DecodedPicture {
  Picture picture;
  Timestamp time;       // at which it was taken
  Duration duration{};  // as its packet says; above 0
};

// Packets of a video track to pictures, in the order in which they are shown. Times go through the decoder,
// so a picture has the time of its own packet, however long the decoder kept it. One thread. Not thread-safe.
class PictureDecoder {
 public:
  virtual ~PictureDecoder() = default;

  // kUnsupported: this FFmpeg cannot decode it.
  static Result<std::unique_ptr<PictureDecoder>> open(const Track& track);

  // Appends to `out` what can be shown now. `zero`: the time of the track's tick 0, by the segment that the
  // packet comes from. kCorrupt: the decoder refused the packet; it takes the next ones.
  virtual Result<void> decode(const Packet& packet, Timestamp zero, std::vector<DecodedPicture>& out) = 0;
  // From the next packet on: pictures that no other needs (AVDISCARD_NONREF) are passed over undecoded, or
  // not.
  virtual void skip_disposable(bool skip) = 0;
  // Appends what is still held back, and forgets all: the next packet is an access point.
  virtual void drain(std::vector<DecodedPicture>& out) = 0;
};

// The time of tick 0 of a track, where the tick `ticks` was taken at `time`.
Timestamp zero_of(Timestamp time, std::int64_t ticks, Rational time_base);

}  // namespace gopline::media
