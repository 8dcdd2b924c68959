#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "analyzer/analyzer.h"
#include "analyzer/options.h"
#include "analyzer/tracker.h"
#include "analyzer/zones.h"

namespace gopline::analyzer {

struct PresenceOptions {
  TrackerOptions tracker;
  std::vector<Zone> zones;  // none: the whole picture
  std::vector<Line> lines;
  Duration dwell{};  // in a zone for so long is an event of its own; 0: none
  Duration most = std::chrono::seconds(60);
  Duration update = std::chrono::seconds(1);  // between updates; 0: none
};

// The options that detectors of objects share; the warm-up that they need goes to `wishes`.
PresenceOptions read_presence(OptionReader& reader, Wishes& wishes);

// What objects do: they enter zones and leave them, stay, and cross lines. Where an object is, is where it
// stands: the middle of its box's lower side. At every multiple of `most` in time all objects are gone, and
// new ones come: so who begins with the multiple before a picture finds what all others find. Not
// thread-safe.
class Presence {
 public:
  explicit Presence(const PresenceOptions& options) : options_(options), tracker_(options.tracker) {}

  void step(const Frame& frame, std::vector<Sighting> sightings, FindingSink& sink);
  void finish(FindingSink& sink);

 private:
  struct Stay {  // of an object in a zone
    std::int64_t object = 0;
    std::string track;
    Timestamp began{}, told{};
    Finding newest;
    bool is_long = false;
  };
  using StayKey = std::pair<std::int64_t, std::size_t>;  // the track's number, the zone

  void look_at(const Track& track, Timestamp time, FindingSink& sink);
  void look_at_zone(const Track& track, std::size_t zone, Timestamp time, FindingSink& sink);
  void look_at_lines(const Track& track, FindingSink& sink);
  void leave(StayKey key, FindingSink& sink);
  void leave_all(const Track& track, FindingSink& sink);
  void tell_moment(Finding finding, FindingSink& sink);

  const PresenceOptions& options_;
  Tracker tracker_;
  std::int64_t piece_ = 0;
  std::int64_t next_object_ = 0;
  std::map<StayKey, Stay> stays_;
  std::map<std::int64_t, Corner> places_;      // of tracks in the picture before
  std::map<std::int64_t, std::string> names_;  // of tracks
};

}  // namespace gopline::analyzer
