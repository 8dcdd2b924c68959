#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace gopline::media {

// The stored numbers of side data types (docs/record-format.md, "Side data"). Numbers are never reused; a
// type that is not in the table is not stored. Returned by av_convert for libav's enumeration.
std::string_view side_data_name(std::uint8_t id);  // "skip_samples"; empty when unknown

namespace side_data_ids {
inline constexpr std::uint8_t kPalette = 1;
inline constexpr std::uint8_t kNewExtradata = 2;
inline constexpr std::uint8_t kDisplayMatrix = 6;
inline constexpr std::uint8_t kSkipSamples = 12;
inline constexpr std::uint8_t kProducerReferenceTime = 28;
}  // namespace side_data_ids

}  // namespace gopline::media
