#pragma once
#include <cstdint>
#include <vector>

#include "common/base/rational.h"
#include "common/media/types.h"

namespace gopline::splitter {

// Puts every track's packets on one timeline that begins at T0 and never goes back: timeline ticks = (source
// dts - origin) x time_base.num, origin = floor(T0 / time base). Where a source's timestamps jump (back by
// more than 1 s, or forward by more than the longest pause beyond where they were expected and beyond every
// other track), T0 moves so that the timeline simply goes on; the first track to jump makes a discontinuity,
// the others follow when their own packets jump.
class Timeline {
 public:
  Timeline(const std::vector<media::Track>& tracks, Rational longest_pause);

  // T0: seconds of the source's clock.
  void start(Rational t0);

  struct Place {
    std::int64_t time = 0;       // timeline ticks of the track
    std::int64_t origin = 0;     // of the track, source ticks
    bool new_origin = false;     // differs from that of the track's packet before
    bool discontinuity = false;  // a new T0 begins with this packet
  };
  // The next packet of a track: dts and duration in source ticks.
  Place place(int track, std::int64_t dts, std::int64_t duration);

  Rational end() const { return end_; }  // furthest time reached, seconds

 private:
  struct TrackState {
    Rational time_base;
    bool may_jump = false;  // audio and video; subtitles and data are sparse by nature
    bool seen = false;
    std::int64_t origin = 0;
    int generation = 0;  // of T0
    std::int64_t last_dts = 0;
    std::int64_t last_duration = 0;
    std::int64_t last_step = 0;  // from the packet before it
    std::int64_t last_time = 0;
  };
  bool jumps(const TrackState& state, std::int64_t dts) const;
  Rational time_of(const TrackState& state, std::int64_t dts) const;

  Rational longest_pause_;
  std::vector<TrackState> tracks_;
  Rational t0_{0, 1};
  int generation_ = 0;
  Rational end_{0, 1};
};

}  // namespace gopline::splitter
