#include "bench/segments/latency_samples.h"

#include <algorithm>
#include <cmath>

namespace gopline::bench {

std::optional<double> LatencySamples::percentile(double fraction) const {
  constexpr double kRounding = 1e-9;  // 0.99 is not a binary fraction
  auto count = static_cast<double>(samples_.size());
  if (samples_.empty() || count * (1 - fraction) < 1 - kRounding) return std::nullopt;
  auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(count * fraction - kRounding)));
  auto copy = samples_;
  auto at = copy.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::nth_element(copy.begin(), at, copy.end());
  return *at;
}

std::optional<double> LatencySamples::worst() const {
  if (samples_.empty()) return std::nullopt;
  return *std::ranges::max_element(samples_);
}

}  // namespace gopline::bench
