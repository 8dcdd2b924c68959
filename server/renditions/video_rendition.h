#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/bytes/buffer.h"
#include "common/bytes/buffer_chain.h"
#include "common/media/frames/picture_encoder.h"
#include "common/media/types.h"
#include "server/renditions/stored_packets.h"

namespace gopline::server {

// The pictures of a track that a browser may not know, as H.264: for each segment out of it and of those
// before it that its first pictures need, and of nothing else, so that every server makes the same and no
// encoder is kept running.
//
// A segment's pictures are those of its own packets, each shown when it was: what leads to them (the GOP
// before an open one, the beginning of a GOP that was cut) is decoded and thrown away. The first one becomes
// a key frame, there are no B-frames, and each lasts until the next; so segments follow one another without a
// hole, and a player may begin with any of them.
class VideoRendition {
 public:
  using IsWanted = std::function<bool()>;

  // Of the main track, a video. kUnsupported: it cannot be decoded, or H.264 not be encoded.
  static Result<VideoRendition> of(const std::vector<media::Track>& tracks);

  int track_id() const { return encoded_.id; }
  std::string codec() const;                                             // as CODECS has it: "avc1.640020"
  std::int64_t most_bit_rate() const { return options_.most_bit_rate; }  // over any second
  int width() const { return options_.width; }
  int height() const { return options_.height; }

  // Whether a segment whose first packet is an access point of that type (record::IndexEntry::sap) has
  // pictures that need the segments before it, back to one that begins with any access point.
  bool needs_earlier(int sap) const;

  Result<Buffer> init() const;  // of this track alone

  // moof mdat of the last of `group`; those before it are what it needs of earlier ones. kCancelled once
  // `is_wanted` (asked for every picture) says no. kCorrupt: not one picture could be decoded.
  Result<BufferChain> fragment(const std::vector<StoredMedia>& group, const IsWanted& is_wanted) const;

 private:
  std::vector<media::Track> tracks_;
  std::size_t video_ = 0;
  media::PictureEncoderOptions options_;
  media::Track encoded_;
};

}  // namespace gopline::server
