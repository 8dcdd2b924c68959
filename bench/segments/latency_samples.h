#pragma once
#include <cstddef>
#include <optional>
#include <vector>

namespace gopline::bench {

// Latencies in milliseconds, every one kept: percentiles are exact (nearest rank), and of two runs together
// they are those of all samples, not a mean of means.
class LatencySamples {
 public:
  void add(double milliseconds) { samples_.push_back(milliseconds); }
  void add(const std::vector<double>& milliseconds) {
    samples_.insert(samples_.end(), milliseconds.begin(), milliseconds.end());
  }
  std::size_t count() const { return samples_.size(); }

  // nullopt where there are too few for it to be more than the worst one: below 1 / (1 - fraction).
  std::optional<double> percentile(double fraction) const;
  std::optional<double> worst() const;

 private:
  std::vector<double> samples_;
};

}  // namespace gopline::bench
