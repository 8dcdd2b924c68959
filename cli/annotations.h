#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/media/frames/marker_pen.h"
#include "common/record/detection.h"

namespace gopline::cli {

// What is to be drawn into the picture of an instant: of every event that goes on, the newest of its boxes.
// Pure.
class Annotations {
 public:
  // In order for each event.
  void add(const record::Detection& detection);
  // `time`s of calls need not grow. What has a box; what has none covers the whole picture.
  std::vector<media::Mark> at(Timestamp time) const;
  // No picture from before `time` is asked for any more: events that were over by then are forgotten. One
  // that goes on after all is known again from its next word.
  void forget_before(Timestamp time);
  std::size_t events() const { return events_.size(); }

 private:
  struct Place {
    Timestamp from;
    media::Mark mark;
  };
  struct Event {
    Timestamp from, to;  // it goes on before `to`
    std::vector<Place> places;
  };
  std::map<std::string, Event> events_;
  std::multimap<Timestamp, const Event*> by_start_;
  Duration longest_{};
};

}  // namespace gopline::cli
