#include "aggregator/follow/clock_drift.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace gopline::aggregator {
namespace {

double microseconds(SteadyTime::duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

}  // namespace

void ClockDrift::observe(Duration media_end, SteadyTime arrival) {
  if (buckets_.empty()) {
    media_zero_ = media_end;
    arrival_zero_ = arrival;
  }
  Point point;
  point.media = static_cast<double>((media_end - media_zero_).count());
  point.offset = microseconds(arrival - arrival_zero_) - point.media;
  if (buckets_.empty() || arrival - buckets_.back().begin >= options_.bucket) {
    if (!buckets_.empty()) fit_slope();  // the newest bucket is complete
    buckets_.push_back({arrival, point});
    while (arrival - buckets_.front().begin > options_.window) buckets_.pop_front();
  } else if (auto& least = buckets_.back().least; point.offset < least.offset) {
    least = point;
  }
  fit_base();
}

void ClockDrift::fit_slope() {
  slope_ = 0;
  if (buckets_.back().begin - buckets_.front().begin < options_.least_span) return;
  std::vector<double> slopes;
  slopes.reserve(buckets_.size() * (buckets_.size() - 1) / 2);
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    for (std::size_t j = i + 1; j < buckets_.size(); ++j) {
      const auto &a = buckets_[i].least, &b = buckets_[j].least;
      if (b.media > a.media) slopes.push_back((b.offset - a.offset) / (b.media - a.media));
    }
  }
  if (slopes.empty()) return;
  auto middle = slopes.begin() + static_cast<std::ptrdiff_t>(slopes.size() / 2);
  std::ranges::nth_element(slopes, middle);
  if (std::abs(*middle) * 1e6 <= options_.most_ppm) slope_ = *middle;
}

void ClockDrift::fit_base() {
  base_ = std::numeric_limits<double>::max();
  for (const auto& bucket : buckets_)
    base_ = std::min(base_, bucket.least.offset - slope_ * bucket.least.media);
}

SteadyTime ClockDrift::earliest(Duration media) const {
  auto since = static_cast<double>((media - media_zero_).count());
  auto at = since + base_ + slope_ * since;
  return arrival_zero_ +
         std::chrono::duration_cast<SteadyTime::duration>(std::chrono::duration<double, std::micro>(at));
}

}  // namespace gopline::aggregator
