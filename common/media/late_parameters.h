#pragma once
#include <functional>
#include <vector>

#include "common/media/av.h"

namespace gopline::media {

// Of a video that was joined between two key frames, nothing says how large it is before the next of them.
// avformat_find_stream_info() must not be called again to wait for that: what it counts with is freed at its
// first end. This looks at the packets that are read afterwards, and completes AVStream::codecpar by the
// extradata in them and what a decoder makes of it. Not thread-safe.
class LateParameters {
 public:
  // Whether a stream is known well enough.
  using Suffices = std::function<bool(const AVStream&)>;

  // Of the streams of `input` that are not; it outlives this.
  LateParameters(const AVFormatContext& input, Suffices suffices);

  bool are_complete() const { return wanted_.empty(); }
  void observe(const AVPacket& packet);

 private:
  struct Wanted {
    AVStream* stream;
    AvBsfPtr extractor;  // null: nothing of this codec lies in its packets
    AvCodecContextPtr decoder;
  };
  void take_extradata(Wanted& wanted, const AVPacket& packet) const;
  void decode(Wanted& wanted, const AVPacket& packet) const;

  Suffices suffices_;
  std::vector<Wanted> wanted_;
};

}  // namespace gopline::media
