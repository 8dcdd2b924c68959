#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/media/annexb.h"

// The little of H.264's syntax (ITU-T H.264, clause 7.3) that tells whether decoding can begin at an access
// unit.
namespace gopline::media {

// A NAL unit's payload without its header byte and without emulation prevention bytes (clause 7.3.1), of at
// most `most` bytes.
std::vector<std::uint8_t> rbsp_of(Nal nal, std::size_t most = 4096);

// max_num_ref_frames of a sequence parameter set (clause 7.3.2.1.1); nullopt when it is damaged.
std::optional<std::uint32_t> max_num_ref_frames(Nal sps);

// Whether a supplemental enhancement information NAL unit has a recovery point message (clauses D.1.8,
// D.2.8).
bool has_recovery_point(Nal sei);

// Whether decoding can begin at a length-prefixed access unit, for what stands before its first slice: that
// is an IDR picture, or has a recovery point. libavcodec's parser finds the same, and besides takes intra
// pictures of streams with one reference frame for key frames. `length_size` as avcC has it: 1, 2 or 4.
bool is_h264_random_access(std::span<const std::uint8_t> access_unit, int length_size);

}  // namespace gopline::media
