#pragma once
#include <cstdint>
#include <map>

#include "common/base/clock.h"

namespace gopline::aggregator {

// How delays are distributed, in little memory: buckets that are 2 % wide, so quantiles are right to 2 %.
// Below 0 counts as 0: two clocks may disagree. Not thread-safe.
class DelaySummary {
 public:
  void observe(Duration delay);

  std::uint64_t count() const { return count_; }
  Duration most() const { return most_; }
  // The smallest delay that at least this share of all do not exceed; 0 where there are none.
  Duration quantile(double share) const;

 private:
  std::map<int, std::uint64_t> buckets_;  // by the power of 1.02, in microseconds
  std::uint64_t count_ = 0;
  Duration most_{};
};

}  // namespace gopline::aggregator
