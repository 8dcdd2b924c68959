#include "aggregator/follow/delay_summary.h"

#include <algorithm>
#include <cmath>

namespace gopline::aggregator {
namespace {

const double kWidth = std::log(1.02);

}  // namespace

void DelaySummary::observe(Duration delay) {
  auto us = std::max<double>(static_cast<double>(delay.count()), 1);
  ++buckets_[static_cast<int>(std::ceil(std::log(us) / kWidth))];
  ++count_;
  most_ = std::max(most_, delay);
}

Duration DelaySummary::quantile(double share) const {
  auto rank = std::max(1.0, std::ceil(share * static_cast<double>(count_)));
  std::uint64_t below = 0;
  for (const auto& [power, count] : buckets_) {
    below += count;
    if (static_cast<double>(below) < rank) continue;
    auto bound = Duration(static_cast<Duration::rep>(std::llround(std::exp(power * kWidth))));
    return std::min(bound, most_);
  }
  return Duration(0);
}

}  // namespace gopline::aggregator
