#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace gopline::media {

inline constexpr std::size_t kTsPacketBytes = 188;

// Sets discontinuity_indicator (ISO/IEC 13818-1, 2.4.3.5) in the first of these TS packets that has a PCR.
// `packets` begins with one; what is no TS packet is left as it is. False: none has.
bool mark_discontinuity(std::span<std::uint8_t> packets);

}  // namespace gopline::media
