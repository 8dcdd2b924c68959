#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "common/base/result.h"
#include "common/bytes/buffer.h"

// The two forms of H.264 and HEVC access units: NAL units behind start codes (ITU-T H.264 and H.265, Annex B)
// and NAL units behind their length (ISO/IEC 14496-15, 5.3.4.2).
namespace gopline::media {

using Nal = std::span<const std::uint8_t>;

// The NAL units of an Annex B access unit, without start codes. A zero byte directly before a start code
// belongs to the start code, further ones to the NAL unit before, as in libavformat. Bytes before the first
// start code are no NAL unit.
std::vector<Nal> nals_of_annexb(std::span<const std::uint8_t> bytes);

// The NAL units of a length-prefixed access unit. kCorrupt when a length runs past the end. `length_size` is
// 1, 2 or 4.
Result<std::vector<Nal>> nals_of_length_prefixed(std::span<const std::uint8_t> bytes, int length_size = 4);

// Start codes become four-byte lengths; NAL units of zero bytes vanish, as libavformat's mp4 muxer has it.
Buffer to_length_prefixed(const Buffer& annexb);

// Four-byte lengths become four-byte start codes.
Result<Buffer> to_annexb(const Buffer& length_prefixed);

// Whether extradata is Annex B (or absent) rather than an avcC or hvcC box payload, which begins with
// version 1.
bool is_annexb_extradata(std::span<const std::uint8_t> extradata);

}  // namespace gopline::media
