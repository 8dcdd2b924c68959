#include "analyzer/tracker.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace gopline::analyzer {
namespace {

constexpr double kSpeedFollows = 0.5;  // how much of a new speed is believed

double seconds_of(Duration duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

struct Pair {
  double overlap;
  std::size_t track, sighting;
};

}  // namespace

Tracker::Step Tracker::step(Timestamp time, std::vector<Sighting> sightings) {
  std::vector<Pair> pairs;
  for (std::size_t t = 0; t < tracks_.size(); ++t) {
    auto box = expected(tracks_[t], time);
    for (std::size_t s = 0; s < sightings.size(); ++s) {
      if (sightings[s].class_name != tracks_[t].newest.class_name) continue;
      auto shared =
          std::max(overlap(box, sightings[s].box), overlap(tracks_[t].newest.box, sightings[s].box));
      if (shared >= options_.overlap) pairs.push_back({shared, t, s});
    }
  }
  // Of equals the older: the same pictures give the same tracks.
  std::ranges::sort(pairs, [](const Pair& a, const Pair& b) {
    return std::tuple(-a.overlap, a.track, a.sighting) < std::tuple(-b.overlap, b.track, b.sighting);
  });
  std::vector<bool> is_met(tracks_.size()), is_taken(sightings.size());
  for (const auto& pair : pairs) {
    if (is_met[pair.track] || is_taken[pair.sighting]) continue;
    is_met[pair.track] = is_taken[pair.sighting] = true;
    meet(tracks_[pair.track], time, std::move(sightings[pair.sighting]));
  }
  for (std::size_t s = 0; s < sightings.size(); ++s) {
    if (is_taken[s]) continue;
    Track track;
    track.number = next_number_++;
    track.first = sightings[s].box;
    track.newest = std::move(sightings[s]);
    track.began = track.last_seen = time;
    track.is_sure = options_.min_time == Duration::zero();
    tracks_.push_back(std::move(track));
  }
  Step step;
  auto gone = std::stable_partition(tracks_.begin(), tracks_.end(), [&](const Track& track) {
    return time - track.last_seen < (track.is_sure ? options_.patience : options_.min_time);
  });
  for (auto one = gone; one != tracks_.end(); ++one) {
    if (one->is_sure) step.gone.push_back(std::move(*one));
  }
  tracks_.erase(gone, tracks_.end());
  for (const auto& track : tracks_) {
    if (track.is_sure && track.last_seen == time) step.seen.push_back(&track);
  }
  return step;
}

void Tracker::meet(Track& track, Timestamp time, Sighting sighting) {
  const auto& before = track.newest.box;
  const auto& now = sighting.box;
  auto passed = std::max(seconds_of(time - track.last_seen), 1e-6);
  auto speed_x = (now.x + now.width / 2 - before.x - before.width / 2) / passed;
  auto speed_y = (now.y + now.height / 2 - before.y - before.height / 2) / passed;
  track.speed_x += kSpeedFollows * (speed_x - track.speed_x);
  track.speed_y += kSpeedFollows * (speed_y - track.speed_y);
  track.newest = std::move(sighting);
  track.last_seen = time;
  if (time - track.began >= options_.min_time) track.is_sure = true;
}

record::PictureBox Tracker::expected(const Track& track, Timestamp time) const {
  auto box = track.newest.box;
  auto passed = seconds_of(time - track.last_seen);
  box.x += passed * track.speed_x;
  box.y += passed * track.speed_y;
  return box;
}

std::vector<Track> Tracker::clear() {
  std::vector<Track> gone;
  for (auto& track : tracks_) {
    if (track.is_sure) gone.push_back(std::move(track));
  }
  tracks_.clear();
  return gone;
}

}  // namespace gopline::analyzer
