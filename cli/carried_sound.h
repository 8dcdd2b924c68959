#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "common/media/types.h"

namespace gopline::cli {

// The sound of a stream on its way into another that is made of its pictures: the same packets, at the same
// capture times, each handed out before the first picture that is not before it. Ticks are the source's,
// moved by as much as its pictures are: always by the same, so that sound stays without a seam, until the
// capture clock was put right by more than eyes and ears notice. Pure; not thread-safe.
class CarriedSound {
 public:
  // Of a stream's tracks those with sound. `first_index`: of the first of them in what is made.
  CarriedSound(const std::vector<media::Track>& source, int first_index);

  // As they are in what is made.
  const std::vector<media::Track>& tracks() const { return tracks_; }

  // What is made begins anew, at this capture time. What waits from before it is left out.
  void begin(Timestamp start);
  // A packet of the source, of whatever track; `zero`: the capture time of its tick 0.
  void push(const media::Packet& packet, Timestamp zero);
  // What comes before a picture of this time, in order; nullopt: all.
  std::vector<media::Packet> take(std::optional<Timestamp> before);

  std::size_t waiting_bytes() const { return waiting_bytes_; }

 private:
  struct Waiting {
    media::Packet packet;
    Timestamp zero;
  };
  struct State {
    int source = 0;
    std::optional<std::int64_t> shift;  // from the source's ticks to those of what is made
    std::int64_t end = 0;               // of what was handed out; before it nothing may come
  };
  std::optional<media::Packet> moved(Waiting waiting);

  std::vector<media::Track> tracks_;
  std::vector<State> states_;
  const int first_index_;
  Timestamp start_{};
  std::multimap<Timestamp, Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
};

}  // namespace gopline::cli
