#pragma once
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

#include "common/base/clock.h"

namespace gopline::server {

// How often somebody may guess: a few times at once, then one guess in a while. Counts by keys that the
// caller makes, of an address or of a name; remembers so many of them. Thread-safe.
class LoginLimiter {
 public:
  explicit LoginLimiter(double burst = 10, Duration pause = std::chrono::seconds(6),
                        std::size_t most_keys = 10'000)
      : burst_(burst), pause_(pause), most_keys_(most_keys) {}

  // False: too often; nothing is to be looked at, or the answer would tell. Counts as a guess if true.
  bool admit(const std::string& key, SteadyTime now);
  // It was no guess.
  void forgive(const std::string& key);

 private:
  struct Bucket {
    double left = 0;
    SteadyTime filled{};
  };
  void make_room(SteadyTime now);

  const double burst_;
  const Duration pause_;
  const std::size_t most_keys_;
  std::mutex mutex_;
  std::map<std::string, Bucket> buckets_;
};

}  // namespace gopline::server
