#pragma once
#include <array>
#include <string>

#include "common/metrics/registry.h"

namespace gopline::metrics {

// A counter for each cause. All are there from the start, at 0: a first failure is then a rise. The causes'
// values are 0 to kCount - 1, and to_string() names them.
template <typename Cause, std::size_t kCount>
class CountersByCause {
 public:
  CountersByCause() = default;
  CountersByCause(const Family<Counter>& family, const std::string& stream,
                  const std::array<Cause, kCount>& causes) {
    for (auto cause : causes) {
      counters_[index(cause)] = family.with({{"stream", stream}, {"cause", std::string(to_string(cause))}});
    }
  }
  const Counter& operator[](Cause cause) const { return counters_[index(cause)]; }

 private:
  static std::size_t index(Cause cause) { return static_cast<std::size_t>(cause); }
  std::array<Counter, kCount> counters_;
};

}  // namespace gopline::metrics
