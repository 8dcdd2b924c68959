#pragma once
#include <optional>
#include <vector>

#include "bench/segments/results.h"

namespace gopline::bench {

// A figure against the payload's size, between the sizes that were measured by the size's logarithm, beyond
// them as at the last.
class SizeCurve {
 public:
  void add(double bytes, double value);  // by rising size
  bool empty() const { return points_.empty(); }
  double at(double bytes) const;  // 0 when empty
  std::optional<double> maybe_at(double bytes) const;

 private:
  std::vector<std::pair<double, double>> points_;
};

// What one strategy does at each size: medians over the repetitions.
struct Curve {
  Strategy strategy;
  std::vector<double> sizes;  // rising
  SizeCurve through, write_cpu, read_cpu, p50, p99;
  double cpu_at(double bytes) const { return write_cpu.at(bytes) + read_cpu.at(bytes); }
  bool covers(double bytes) const { return bytes >= sizes.front() * 0.5 && bytes <= sizes.back() * 2; }
};

// Of the random payloads, or where there are none, of the video.
std::vector<Curve> curves_of(const Results& results);

}  // namespace gopline::bench
