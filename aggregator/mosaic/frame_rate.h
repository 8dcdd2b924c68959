#pragma once
#include <vector>

#include "common/base/rational.h"

namespace gopline::aggregator {

inline constexpr int kUsualFrameRate = 25, kMostFrameRate = 30;

// The highest of what the streams say of themselves, as one of the rates that there are (whole ones, or
// 1000/1001 of 24 and 30), and kMostFrameRate at most. What is no rate of pictures (0, or a clock's 90000)
// does not count; without any it is kUsualFrameRate.
Rational frame_rate_for(const std::vector<Rational>& said);

}  // namespace gopline::aggregator
