#pragma once
#include <optional>
#include <vector>

#include "bench/segments/curves.h"

namespace gopline::bench {

// What two ways may differ by and be alike, as a part; and by how much one may cost more than the cheapest.
inline constexpr double kNoise = 0.1;
inline constexpr double kCostly = 1.25;

// The strategies that were measured, the bare client aside, held against each other at one payload size.
class Ways {
 public:
  // `plenty`: MB/s, of which more is worth nothing.
  Ways(const Results& results, double plenty);

  const std::vector<Curve>& all() const { return curves_; }

  // Of the ways that pass plenty, or next to the most there is: the cheapest, and of those alike the one with
  // the fewest parts. all() must not be empty.
  const Curve& best_at(double bytes) const;

  // The one of that kind with the most throughput; nullptr: none was measured.
  const Curve* of(payload::Strategy kind, double bytes) const;

  // The best of the chunk sizes: throughput, and median latency where there is one.
  struct Chunked {
    bool is_measured = false;
    double through = 0;
    std::optional<double> p50;
  };
  Chunked chunked_at(double bytes) const;

 private:
  std::vector<Curve> curves_;
  double plenty_;
};

}  // namespace gopline::bench
