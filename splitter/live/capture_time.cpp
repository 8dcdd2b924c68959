#include "splitter/live/capture_time.h"

#include <algorithm>

namespace gopline::splitter {
namespace {

Duration since_start(SteadyTime time) {
  return std::chrono::duration_cast<Duration>(time.time_since_epoch());
}

}  // namespace

void CaptureTime::observe(Duration media, SteadyTime arrival, Timestamp arrival_wall,
                          std::optional<Timestamp> producer) {
  auto steady = since_start(arrival);
  auto second = std::chrono::floor<std::chrono::seconds>(steady).count();
  auto distance = steady - media;
  if (buckets_.empty() || buckets_.back().second != second) {
    buckets_.push_back({second, distance});
  } else {
    buckets_.back().least = std::min(buckets_.back().least, distance);
  }
  auto oldest = std::chrono::floor<std::chrono::seconds>(steady - options_.window).count();
  while (buckets_.front().second < oldest) buckets_.pop_front();
  wall_minus_steady_ = arrival_wall.time_since_epoch() - steady;
  if (producer) source_zero_ = *producer - media;
}

void CaptureTime::forget() {
  buckets_.clear();
  source_zero_.reset();
}

Duration CaptureTime::least_delay() const {
  if (buckets_.empty()) return {};
  return std::ranges::min_element(buckets_, {}, &Bucket::least)->least;
}

std::optional<Duration> CaptureTime::skew() const {
  if (!source_zero_ || buckets_.empty()) return std::nullopt;
  auto after = [&](Duration delay) {
    return source_zero_->time_since_epoch() - (delay + wall_minus_steady_);
  };
  // A camera that paused goes on later than before, and says so before the window has passed.
  auto by_window = after(least_delay());
  auto by_newest = after(buckets_.back().least);
  return std::chrono::abs(by_window) < std::chrono::abs(by_newest) ? by_window : by_newest;
}

bool CaptureTime::is_believed() const {
  auto off = skew();
  return !off || std::chrono::abs(*off) <= options_.most_skew;
}

CaptureTime::Estimate CaptureTime::at(Duration media) const {
  if (source_zero_ && is_believed()) return {*source_zero_ + media, record::CaptureClock::kNtp};
  return {Timestamp(least_delay() + wall_minus_steady_ + media), record::CaptureClock::kArrival};
}

}  // namespace gopline::splitter
