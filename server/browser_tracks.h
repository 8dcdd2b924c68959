#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/result.h"
#include "common/bytes/buffer.h"
#include "common/bytes/buffer_chain.h"

namespace gopline::server {

// Of a stored segment, what a browser's Media Source Extensions and other HLS players take: tracks of codecs
// that have a place there. Others (G.711, data) are left out, and not a byte of the rest is touched.
struct BrowserTracks {
  Buffer init;                  // ftyp moov, without the tracks that are left out
  std::uint64_t init_size = 0;  // of the stored one: fragments begin behind it
  std::vector<int> track_ids;   // that stay; none: nothing can be played
  bool all = true;              // nothing was left out
};

// `without`: a track_ID that is left out, though browsers may take it. kCorrupt when the segment's head does
// not parse.
Result<BrowserTracks> browser_tracks(const Buffer& segment, std::optional<int> without = {});

// An init with the one track of another init behind its own, under that track_ID; of an empty init, with that
// track alone. kCorrupt when they do not parse.
Result<Buffer> with_track(const Buffer& init, const Buffer& other, int track_id);

// The fragments of these tracks, in the segment's memory. kCorrupt when its boxes do not parse.
Result<BufferChain> browser_fragments(const Buffer& segment, const BrowserTracks& tracks);

}  // namespace gopline::server
