#pragma once
#include <cstdint>
#include <optional>

#include "aggregator/mosaic/axis.h"
#include "common/base/clock.h"
#include "common/media/frames/picture.h"

namespace gopline::aggregator {

// A frame of a stream and the instants at which it is what the stream shows.
struct Showing {
  std::int64_t begin = 0, end = 0;  // [begin, end)
  Timestamp time;                   // capture time
  Timestamp until;                  // at which it ends; what follows is not there, unless a Showing is
  media::Picture picture;           // carried, not looked at
};

struct FrameLineStats {
  std::uint64_t frames = 0;
  std::uint64_t passed_over = 0;  // the next one counts as the same instant: faster than the output
  std::uint64_t backwards = 0;    // taken before the frame that came before it
};

// Frames of one stream, one after the other, to what is shown when.
//
// A frame stands until the next one, which may be a little late (kPatience), so that a camera that drops a
// frame does not flicker. Where more than that is missing, or somebody says that something is, it stands for
// its own duration and no longer: nothing that is over looks as if it were live. Pure. Not thread-safe.
class FrameLine {
 public:
  static constexpr Duration kPatience = std::chrono::seconds(2);

  explicit FrameLine(Axis axis) : axis_(axis) {}

  // The next frame. Returns the one before, now that its end is known; nullopt: there is none to show.
  std::optional<Showing> push(Timestamp time, Duration duration, media::Picture picture);
  // What comes next does not follow what was: a gap, another epoch, the end.
  std::optional<Showing> cut();

  const FrameLineStats& stats() const { return stats_; }

 private:
  struct Open {
    Timestamp time;
    Duration duration;
    media::Picture picture;
  };
  std::optional<Showing> close(Timestamp until);

  Axis axis_;
  std::optional<Open> open_;
  std::optional<Timestamp> newest_;
  FrameLineStats stats_;
};

}  // namespace gopline::aggregator
