#pragma once
#include <chrono>

#include "common/base/clock.h"

// The instant at which tests happen.
namespace gopline {

inline constexpr Timestamp kNoon{std::chrono::seconds(1'795'348'800)};  // 2026-11-22T12:00:00Z

}  // namespace gopline
