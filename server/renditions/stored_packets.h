#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/base/rational.h"
#include "common/base/result.h"
#include "common/bytes/buffer.h"
#include "common/media/types.h"

namespace gopline::server {

// A segment as it is stored, or a part of one behind its init.
struct StoredMedia {
  Buffer bytes;
  bool is_nut = false;
  Rational start;  // of its main track on the epoch's timeline (ce_start): what is in a NUT file does not say
};

// A packet, and its place on the epoch's timeline in ticks of 1 / time_base.den.
struct StoredPacket {
  media::Packet packet;            // as the source had it; shares the segment's memory
  std::int64_t time = 0, end = 0;  // when it is decoded, and the next one
  std::int64_t shown = 0;          // `time` where the source does not say
};

// The packets of one of `tracks` (as in epoch.started), in decoding order. kCorrupt when they do not parse.
Result<std::vector<StoredPacket>> stored_packets(const StoredMedia& media,
                                                 const std::vector<media::Track>& tracks, std::size_t track);

}  // namespace gopline::server
