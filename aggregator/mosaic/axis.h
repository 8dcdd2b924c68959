#pragma once
#include <cstdint>

#include "common/base/clock.h"
#include "common/base/rational.h"

namespace gopline::aggregator {

// The instants of the output, numbered from 1970 on, so that every stream, every run and every range has the
// same ones. A capture time counts as the nearest instant: what cameras and rounding shake by a millisecond
// stays where it is, and nothing is shown further from its time than half a frame.
class Axis {
 public:
  explicit Axis(Rational frame_rate) : period_{frame_rate.den, frame_rate.num} {}

  std::int64_t instant_of(Timestamp time) const {
    return rescale(time.time_since_epoch().count(), {1, 1'000'000}, period_);
  }
  Timestamp time_of(std::int64_t instant) const {
    return Timestamp(Duration(rescale(instant, period_, {1, 1'000'000})));
  }
  Duration length_of(std::int64_t instants) const {
    return Duration(rescale(instants, period_, {1, 1'000'000}));
  }
  Rational frame_rate() const { return {period_.den, period_.num}; }

 private:
  Rational period_;
};

}  // namespace gopline::aggregator
