#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "common/media/types.h"

namespace gopline::splitter {

// A packet whose times are known, even where the source does not say them.
struct ResolvedPacket {
  media::Packet packet;  // as the source has it: pts and dts may be absent
  std::int64_t dts = 0;  // ticks
  std::int64_t pts = 0;
};

// Fills in missing timestamps without changing the order of packets: a missing dts is the track's next known
// dts minus the durations between, and where none comes within 512 packets the previous one plus its
// duration; a missing pts is the dts.
class TimestampResolver {
 public:
  explicit TimestampResolver(std::size_t tracks) : tracks_(tracks) {}

  void push(media::Packet packet);
  // The next packet in source order, once its times are known. With `at_end`, nothing more will come.
  std::optional<ResolvedPacket> pop(bool at_end = false);

 private:
  struct Entry {
    media::Packet packet;
    std::optional<std::int64_t> dts;
  };
  struct TrackState {
    std::optional<std::int64_t> next_guess;  // previous dts plus its duration
    std::size_t unresolved = 0;              // entries of this track without dts
  };
  void resolve_backwards(int track, std::int64_t dts);

  std::vector<TrackState> tracks_;
  std::deque<Entry> queue_;
};

}  // namespace gopline::splitter
