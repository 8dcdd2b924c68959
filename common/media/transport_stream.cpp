#include "common/media/transport_stream.h"

namespace gopline::media {

bool mark_discontinuity(std::span<std::uint8_t> packets) {
  constexpr std::uint8_t kSync = 0x47, kAdaptationField = 0x20, kDiscontinuity = 0x80, kPcr = 0x10;
  for (; packets.size() >= kTsPacketBytes; packets = packets.subspan(kTsPacketBytes)) {
    bool has_field = packets[0] == kSync && (packets[3] & kAdaptationField) != 0 && packets[4] > 0;
    if (!has_field || (packets[5] & kPcr) == 0) continue;
    packets[5] |= kDiscontinuity;
    return true;
  }
  return false;
}

}  // namespace gopline::media
