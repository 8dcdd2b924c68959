#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "common/base/result.h"
#include "common/bytes/buffer.h"
#include "common/bytes/buffer_chain.h"
#include "common/media/types.h"
#include "server/renditions/stored_packets.h"

namespace gopline::server {

// Which sound of a segment is made anew for browsers: the first audio track, where none is one that they take
// (`playable`: the IDs of those that are). nullopt: none is needed, or there is none.
std::optional<std::size_t> sound_to_transcode(const std::vector<media::Track>& tracks,
                                              const std::vector<int>& playable);

// The sound of a track that browsers do not know (G.711), as AAC: for each segment out of it and of the one
// before it, and of nothing else, so that every server makes the same and no encoder is kept running.
//
// AAC frames lie on a grid of 1024 samples at 48 kHz that begins with the epoch's timeline. A frame reaches
// over the one behind it and the encoder looks one further ahead, so those that need sound of the next
// segment are left to it: segment n has the frames that begin in [grid(its begin), grid(its end)), and grid()
// lies some 85 ms before its argument. Each encoding begins half a second before, in the segment before, by
// which the encoder has come to the state of one that had always run, and its priming is thrown away. So
// frames of successive segments follow one another without a hole or an overlap, and times need no edit list.
class SoundRendition {
 public:
  // kUnsupported: it cannot be decoded, or AAC not be encoded.
  static Result<SoundRendition> of(const std::vector<media::Track>& tracks, std::size_t audio);

  int track_id() const { return encoded_.id; }
  Result<Buffer> init() const;  // of this track alone

  // moof mdat of the sound of a segment, or of a part of one; empty: there is none. `before`: what it follows
  // on without a break, the newest last; half a second of it is looked at. Empty: it begins here.
  Result<BufferChain> fragment(const StoredMedia& media, const std::vector<StoredMedia>& before) const;

 private:
  Result<BufferChain> encode(const std::vector<float>& samples, std::int64_t begin, std::int64_t first,
                             std::int64_t last) const;

  std::vector<media::Track> tracks_;
  std::size_t audio_ = 0;
  int channels_ = 1;
  media::Track encoded_;
};

}  // namespace gopline::server
