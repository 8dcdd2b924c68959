#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "common/base/clock.h"

namespace gopline::aggregator {

// When packets leave that come in lumps (segments): each at its dts plus a lag. The lag is the most that any
// packet of the last half minute came behind its dts, so that no lump is late; it grows at once, and shrinks
// by a thousandth of the time that passes, which is more than clocks drift apart and less than a player
// notices. Pure; not thread-safe.
class SendPace {
 public:
  static constexpr Duration kWindow = std::chrono::seconds(15);  // two of them count
  static constexpr std::int64_t kShrink = 1000;

  void arrived(std::int64_t dts_us, SteadyTime now) {
    auto lag = since(now) - Duration(dts_us);
    if (!lag_) {
      lag_ = newest_ = before_ = lag;
      window_ = shrunk_ = now;
    }
    if (now - window_ >= kWindow) {
      before_ = now - window_ >= 2 * kWindow ? lag : newest_;
      newest_ = lag;
      window_ = now;
    }
    newest_ = std::max(newest_, lag);
    auto wanted = std::max(newest_, before_);
    auto most = std::chrono::duration_cast<Duration>(now - shrunk_) / kShrink;
    lag_ = std::max(wanted, *lag_ - most);
    if (most.count() > 0) shrunk_ = now;
  }

  // Of a packet after the first arrived().
  SteadyTime due(std::int64_t dts_us) const {
    return SteadyTime(lag_.value_or(Duration{}) + Duration(dts_us));
  }

  // What lies so far ahead that nobody wants to wait for it is due at `at` instead.
  void skip_to(std::int64_t dts_us, SteadyTime at) {
    lag_ = newest_ = before_ = since(at) - Duration(dts_us);
    window_ = shrunk_ = at;
  }

 private:
  static Duration since(SteadyTime time) {
    return std::chrono::duration_cast<Duration>(time.time_since_epoch());
  }

  std::optional<Duration> lag_;
  Duration newest_{}, before_{};  // the most in this window, and in the one before
  SteadyTime window_{}, shrunk_{};
};

}  // namespace gopline::aggregator
