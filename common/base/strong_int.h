#pragma once
#include <compare>
#include <cstdint>
#include <functional>

#include <fmt/format.h>

namespace gopline {

// An integer with a meaning, so that an offset cannot be passed where an epoch is wanted.
template <typename Tag, typename Rep = std::int64_t>
struct StrongInt {
  using rep = Rep;
  Rep value{};

  constexpr StrongInt() = default;
  constexpr explicit StrongInt(Rep v) : value(v) {}
  constexpr auto operator<=>(const StrongInt&) const = default;
  constexpr StrongInt next() const { return StrongInt(static_cast<Rep>(value + 1)); }
};

// Position of a record in its partition, from 0.
using Offset = StrongInt<struct OffsetTag>;
// Which partition of a topic, from 0.
using PartitionId = StrongInt<struct PartitionTag, std::int32_t>;
// Epoch base plus the offset of the epoch.started record (docs/record-format.md, section 4).
using EpochNumber = StrongInt<struct EpochTag>;
// Position of a segment in its epoch, from 0, without holes.
using SegmentNumber = StrongInt<struct SegmentTag>;
// Position of a segment in its stream, over all epochs, from 0.
using Ordinal = StrongInt<struct OrdinalTag>;

}  // namespace gopline

template <typename Tag, typename Rep>
struct std::hash<gopline::StrongInt<Tag, Rep>> {
  std::size_t operator()(const gopline::StrongInt<Tag, Rep>& v) const noexcept {
    return std::hash<Rep>{}(v.value);
  }
};

template <typename Tag, typename Rep>
struct fmt::formatter<gopline::StrongInt<Tag, Rep>> : fmt::formatter<Rep> {
  auto format(const gopline::StrongInt<Tag, Rep>& v, fmt::format_context& context) const {
    return fmt::formatter<Rep>::format(v.value, context);
  }
};
