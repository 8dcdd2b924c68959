#pragma once
#include <functional>
#include <optional>
#include <string_view>

#include "common/base/clock.h"

namespace gopline::payload {

// What the end of one try says about the next.
enum class Prospect {
  kNone,      // it would end the same way
  kFewTries,  // bytes were damaged on their way; if that repeats, it is not the way
  kPatience,  // may pass: worth trying until patience ends
};

// Of an answer: its HTTP status and S3's code, which may be empty.
Prospect prospect_of(int status, std::string_view code);

inline constexpr int kFewTries = 3;

// When to try again: after a wait drawn between nothing and a bound that doubles ("full jitter"), so that
// clients which lost the same server do not come back all at once. Patience counts from the first failure, so
// that a long transfer that breaks at its end still has all of it.
class RetrySchedule {
 public:
  // `random` answers numbers in [0, 1).
  RetrySchedule(Duration patience, std::function<double()> random)
      : patience_(patience), random_(std::move(random)) {}

  // How long to wait before the next try; nullopt when there shall be none. `at_least`: as the server asked.
  std::optional<Duration> after_failure(SteadyTime now, Prospect prospect,
                                        std::optional<Duration> at_least = std::nullopt);

  int tries() const { return failures_ + 1; }  // begun so far
  int failures() const { return failures_; }
  Duration tried_for(SteadyTime now) const;  // since the first failure

 private:
  const Duration patience_;
  std::function<double()> random_;
  int failures_ = 0;
  int few_ = 0;
  SteadyTime first_failure_{};
};

}  // namespace gopline::payload
