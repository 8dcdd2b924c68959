#include "aggregator/follow/playout_delay.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace gopline::aggregator {
namespace {

constexpr std::size_t kMostMeasured = 1024;

}  // namespace

PlayoutDelay::PlayoutDelay(PlayoutDelayOptions options) : options_(options) {
  options_.most = std::max(options_.least, options_.most);
  wanted_ = had_ = options_.least;
}

Duration PlayoutDelay::bounded(Duration delay) const {
  return std::clamp(delay, options_.least, options_.most);
}

// The smallest measured delay that at least the quantile of all do not exceed (nearest rank).
Duration PlayoutDelay::quantile_of_window() const {
  std::vector<Duration> delays;
  delays.reserve(window_.size());
  for (const auto& measured : window_) delays.push_back(measured.delay);
  auto rank = std::ceil(options_.quantile * static_cast<double>(delays.size()));
  auto index = std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(rank) - 1, 0,
                                          static_cast<std::ptrdiff_t>(delays.size()) - 1);
  std::ranges::nth_element(delays, delays.begin() + index);
  return delays[static_cast<std::size_t>(index)];
}

void PlayoutDelay::observe(Duration delay, SteadyTime now) {
  had_ = at(now);
  had_at_ = now;
  window_.push_back({now, delay});
  while (window_.size() > kMostMeasured || now - window_.front().at > options_.window) window_.pop_front();
  wanted_ = bounded(quantile_of_window());
}

Duration PlayoutDelay::at(SteadyTime now) const {
  auto elapsed = std::max(now - had_at_, SteadyTime::duration::zero());
  auto seconds = std::chrono::duration<double>(elapsed).count();
  auto shrunk = static_cast<double>(options_.shrink_per_second.count()) * seconds;
  // Compared as fractions: what would shrink below everything may not be a number of microseconds.
  auto least_now = static_cast<double>(had_.count()) - shrunk;
  if (least_now <= static_cast<double>(wanted_.count())) return wanted_;
  return Duration(static_cast<Duration::rep>(least_now));
}

}  // namespace gopline::aggregator
