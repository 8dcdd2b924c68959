#pragma once
#include <cstdint>
#include <vector>

#include "analyzer/sighting.h"
#include "common/base/clock.h"

namespace gopline::analyzer {

struct TrackerOptions {
  double overlap = 0.2;  // with where it should be, from which it is the same object
  Duration min_time = std::chrono::milliseconds(400);  // what is seen for less is nothing
  Duration patience = std::chrono::seconds(1);         // unseen for so long: gone
};

// An object on its way through pictures.
struct Track {
  std::int64_t number = 0;  // among those of a tracker, in the order in which they were first seen
  Sighting newest;
  record::PictureBox first;
  Timestamp began{}, last_seen{};
  double speed_x = 0, speed_y = 0;  // of its middle, in picture widths and heights a second
  bool is_sure = false;             // seen for long enough
};

// Joins what is seen in pictures, one after the other, into objects: each goes on as it went, and what is
// seen there of its class is it, the greatest overlap first. Pure; not thread-safe.
class Tracker {
 public:
  explicit Tracker(TrackerOptions options) : options_(options) {}

  struct Step {
    std::vector<const Track*> seen;  // in this picture, surely; valid until the next call
    std::vector<Track> gone;         // that had been sure
  };
  Step step(Timestamp time, std::vector<Sighting> sightings);
  // All are gone.
  std::vector<Track> clear();

 private:
  record::PictureBox expected(const Track& track, Timestamp time) const;
  void meet(Track& track, Timestamp time, Sighting sighting);

  const TrackerOptions options_;
  std::vector<Track> tracks_;
  std::int64_t next_number_ = 0;
};

}  // namespace gopline::analyzer
