#pragma once
#include <cstdint>
#include <optional>

#include "common/base/clock.h"

namespace gopline::aggregator {

// Where a further epoch lies in the output: as far behind the first as their capture times say, but not
// before the end of what is there. Times of the output are microseconds.
class EpochPlacer {
 public:
  struct Place {
    std::int64_t at_us = 0;  // of the epoch's zero
    bool by_clock = true;
  };

  // `capture`: time of the epoch's first picture, which lies `lead_us` after the epoch's zero. `end_us`: of
  // the output so far.
  Place place(Timestamp capture, std::int64_t lead_us, std::int64_t end_us) {
    if (!first_) {
      first_ = First{capture, lead_us};
      return {};
    }
    auto by_clock = first_->lead_us + (capture - first_->capture).count() - lead_us;
    return by_clock >= end_us ? Place{by_clock, true} : Place{end_us, false};
  }

 private:
  struct First {
    Timestamp capture;
    std::int64_t lead_us;
  };
  std::optional<First> first_;
};

}  // namespace gopline::aggregator
