#pragma once
#include <deque>
#include <optional>

#include "common/base/clock.h"
#include "common/record/vocabulary.h"

namespace gopline::splitter {

struct CaptureTimeOptions {
  // A source's clock that is further from ours is not believed: a camera that was never set.
  Duration most_skew = std::chrono::seconds(10);
  // How long the earliest arrival counts: longer than networks stall, shorter than people would wait for
  // right times after a camera has paused.
  Duration window = std::chrono::seconds(20);
};

// When the pictures of a live source were taken, from what its packets say and when they came.
//
// The source's own clock (RTCP sender reports) where it says something that can be: the newest report's
// distance from the media timeline. Until then, and where it is off by more than `most_skew`, arrival: no
// packet comes before it was taken, so the least of (arrival - media time) within the window is nearest the
// truth. Bursts, stalls and jitter only ever come later than that; a pre-buffer that is sent at once comes
// earlier, and counts.
//
// Pure: no clock of its own. Not thread-safe.
class CaptureTime {
 public:
  explicit CaptureTime(CaptureTimeOptions options = {}) : options_(options) {}

  // A packet of the main track: its pts on the epoch's timeline, when it came by both of the host's clocks,
  // and when it was taken by the source's clock, if that says.
  void observe(Duration media, SteadyTime arrival, Timestamp arrival_wall, std::optional<Timestamp> producer);
  // The timeline has lost its relation to time (a jump in the source's timestamps): what was seen no longer
  // counts.
  void forget();

  struct Estimate {
    Timestamp time;
    record::CaptureClock clock = record::CaptureClock::kArrival;
  };
  // Of a picture at this media time. Before the first packet, and the first since forget(): nothing sensible.
  Estimate at(Duration media) const;
  bool knows_anything() const { return !buckets_.empty(); }  // since the beginning, or forget()

  // Source's clock less ours, as far as transport and encoding let it be seen. nullopt: it does not say.
  std::optional<Duration> skew() const;
  // The host's wall clock less its steady one at the newest packet: it changes when the host's clock is set.
  Duration wall_minus_steady() const { return wall_minus_steady_; }
  bool is_believed() const;  // false: the source has a clock, which is wrong

 private:
  struct Bucket {  // of a second of arrival
    std::int64_t second = 0;
    Duration least{};  // of arrival - media
  };
  Duration least_delay() const;

  CaptureTimeOptions options_;
  std::deque<Bucket> buckets_;
  Duration wall_minus_steady_{};          // now
  std::optional<Timestamp> source_zero_;  // by the source's clock, at media time zero
};

}  // namespace gopline::splitter
