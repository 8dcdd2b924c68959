#pragma once
#include <algorithm>
#include <cstdint>
#include <random>

#include "common/base/clock.h"

namespace gopline::aggregator {

// How long to wait before a receiver is tried again: at once, then exponential backoff with jitter, so that
// many senders do not come back together. Pure; not thread-safe.
class Backoff {
 public:
  static constexpr Duration kFirst = std::chrono::milliseconds(500), kMost = std::chrono::seconds(30);

  explicit Backoff(std::uint64_t seed) : random_(seed) {}

  Duration next() {
    auto ceiling = std::min<Duration>(kMost, kFirst * (std::int64_t{1} << std::min(failures_++, 10)));
    return Duration(
        std::uniform_int_distribution<std::int64_t>(ceiling.count() / 2, ceiling.count())(random_));
  }
  void succeeded() { failures_ = 0; }

 private:
  std::mt19937_64 random_;
  int failures_ = 0;
};

}  // namespace gopline::aggregator
