#pragma once
#include <deque>

#include "common/base/clock.h"

namespace gopline::aggregator {

struct PlayoutDelayOptions {
  Duration least{};                           // --min-delay
  Duration most = std::chrono::seconds(10);   // --max-delay
  double quantile = 0.99;                     // of pieces that are to be there in time
  Duration window = std::chrono::minutes(2);  // of arrivals that count
  Duration shrink_per_second = std::chrono::milliseconds(10);
};

// How far behind the quickest way from the writer to play: a quantile of the delays measured within a window.
//
// It grows at once, because what would come too late is lost, and shrinks slowly, because a player sees it
// shrink as haste, and a network that was bad a minute ago may be so again. Memory is bounded: of many
// measurements the newest. Pure; not thread-safe.
class PlayoutDelay {
 public:
  explicit PlayoutDelay(PlayoutDelayOptions options = {});

  // A piece came so much later than the beginning of its footage could have at the quickest.
  void observe(Duration delay, SteadyTime now);
  Duration at(SteadyTime now) const;  // within [least, most]

 private:
  Duration bounded(Duration delay) const;
  Duration quantile_of_window() const;

  PlayoutDelayOptions options_;
  struct Measured {
    SteadyTime at;
    Duration delay;
  };
  std::deque<Measured> window_;
  Duration wanted_{};  // by the window
  Duration had_{};     // at `had_at_`, from where it shrinks
  SteadyTime had_at_{};
};

}  // namespace gopline::aggregator
