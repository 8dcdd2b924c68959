#pragma once
#include <cstdint>
#include <span>

#include "common/base/result.h"
#include "common/bytes/buffer.h"

namespace gopline::media {

// Whether ADTS headers can say what this AudioSpecificConfig says (ISO/IEC 14496-3, 1.6.2.1 and 1.A.2.2):
// object types 1 to 4, a sampling frequency from the table, and a channel configuration that is not 0.
bool fits_adts(std::span<const std::uint8_t> audio_specific_config);

// The raw AAC access unit behind the ADTS header that its AudioSpecificConfig implies (fixed header without
// CRC, variable bit rate). kUnsupported where fits_adts() is false; kTooLarge beyond the 13 bits of the
// length.
Result<Buffer> add_adts_header(const Buffer& access_unit,
                               std::span<const std::uint8_t> audio_specific_config);

}  // namespace gopline::media
