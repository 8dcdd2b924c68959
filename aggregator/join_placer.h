#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "common/media/types.h"

namespace gopline::aggregator {

// Where the packets of one stream lie on a common axis. Pure. Not thread-safe.
class JoinPlacer {
 public:
  static constexpr Duration kApart = std::chrono::milliseconds(40);

  // `tracks`: of the stream's first epoch; its time bases are those of the axis.
  explicit JoinPlacer(std::vector<media::Track> tracks) : tracks_(std::move(tracks)), ends_(tracks_.size()) {}

  // What comes next does not go on with what was.
  void cut() { zero_.reset(); }

  // The packets of a segment, in the time bases of their epoch's `tracks`, whose first packet of the main
  // track was taken at `time`. They get capture time in microseconds since 1970 as a place: returns whether
  // the stream had to be placed anew though nothing had cut it.
  bool place(Timestamp time, const std::vector<media::Track>& tracks,
             const std::vector<media::Packet>& packets);

  // Capture time of a packet of the segment in hand: its dts, or else its pts.
  Timestamp time_of(const media::Packet& packet) const;
  // The packet with times counted from `origin`, in the axis' time base of its track.
  media::Packet placed(media::Packet packet, Timestamp origin) const;

 private:
  std::vector<media::Track> tracks_;
  std::vector<media::Track> epoch_tracks_;
  std::optional<Timestamp> zero_;               // capture time of the epoch's zero
  std::vector<std::optional<Timestamp>> ends_;  // of what each track has had
};

}  // namespace gopline::aggregator
