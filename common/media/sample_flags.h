#pragma once
#include <cstdint>

// ISO/IEC 14496-12, 8.8.3.1: the 32 bits of sample flags in tfhd and trun.
namespace gopline::media::sample_flags {

inline constexpr std::uint32_t kNonSync = 1u << 16;     // sample_is_non_sync_sample
inline constexpr std::uint32_t kDisposable = 2u << 22;  // sample_is_depended_on = 2
inline constexpr std::uint32_t kDependedOnMask = 3u << 22;
inline constexpr std::uint32_t kDependsOnNothing = 2u << 24;  // sample_depends_on = 2
inline constexpr std::uint32_t kDependsOnOthers = 1u << 24;   // sample_depends_on = 1

}  // namespace gopline::media::sample_flags
