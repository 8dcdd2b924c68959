#include "analyzer/presence.h"

#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace gopline::analyzer {
namespace {

using nlohmann::ordered_json;
using record::EventPhase;

Corner place_of(const record::PictureBox& box) {
  return {box.x + box.width / 2, box.y + box.height};
}

double rounded(double value) {
  return std::round(1e4 * value) / 1e4;
}

record::PictureBox rounded(const record::PictureBox& box) {
  return {rounded(box.x), rounded(box.y), rounded(box.width), rounded(box.height)};
}

Finding finding_of(const Track& track, const std::string& name) {
  Finding finding;
  finding.class_name = track.newest.class_name;
  finding.score = rounded(track.newest.score);
  finding.box = rounded(track.newest.box);
  finding.track = name;
  return finding;
}

double seconds_between(Timestamp from, Timestamp to) {
  return rounded(static_cast<double>((to - from).count()) / 1e6);
}

std::int64_t piece_of(Timestamp time, Duration most) {
  auto since = time.time_since_epoch().count();
  return since / most.count() - (since % most.count() < 0 ? 1 : 0);
}

}  // namespace

PresenceOptions read_presence(OptionReader& reader, Wishes& wishes) {
  PresenceOptions options;
  auto& tracker = options.tracker;
  tracker.overlap = reader.number("follow", tracker.overlap, 0, 1);
  tracker.min_time = reader.duration("min_time", tracker.min_time);
  tracker.patience = reader.duration("quiet", tracker.patience);
  options.dwell = reader.duration("dwell", Duration::zero());
  options.most = reader.duration("most", options.most, std::chrono::seconds(1));
  options.update = reader.duration("update", options.update);
  options.zones = read_zones(reader);
  for (const auto& text : reader.all("line")) {
    auto line = parse_line(text);
    if (!line) reader.complain("line", line.error().message);
    options.lines.push_back(line.value_or(Line{}));
  }
  wishes.frames = {FrameChoice::Kind::kRate, {5, 1}};
  wishes.warm_up = options.most;
  return options;
}

void Presence::step(const Frame& frame, std::vector<Sighting> sightings, FindingSink& sink) {
  if (auto piece = piece_of(frame.time, options_.most); piece != piece_) {
    finish(sink);
    piece_ = piece;
  }
  auto step = tracker_.step(frame.time, std::move(sightings));
  for (const auto& track : step.gone) leave_all(track, sink);
  for (const auto* track : step.seen) {
    auto& name = names_[track->number];
    // By where it is first told, as an event: the same whoever looks.
    if (name.empty())
      name = fmt::format("{}-{}-{}-{}", frame.epoch, frame.segment, frame.number, track - step.seen.front());
    look_at(*track, frame.time, sink);
  }
}

void Presence::finish(FindingSink& sink) {
  for (const auto& track : tracker_.clear()) leave_all(track, sink);
  places_.clear();
  names_.clear();
}

void Presence::look_at(const Track& track, Timestamp time, FindingSink& sink) {
  for (std::size_t zone = 0; zone < options_.zones.size(); ++zone) look_at_zone(track, zone, time, sink);
  look_at_lines(track, sink);
  places_[track.number] = place_of(track.newest.box);
}

void Presence::look_at_zone(const Track& track, std::size_t zone, Timestamp time, FindingSink& sink) {
  StayKey key{track.number, zone};
  auto found = stays_.find(key);
  if (!contains(options_.zones[zone], place_of(track.newest.box))) {
    if (found != stays_.end()) leave(key, sink);
    return;
  }
  auto finding = finding_of(track, names_[track.number]);
  finding.zone = options_.zones[zone].name;
  bool enters = found == stays_.end();
  if (enters) {
    // One that has just been made sure of has been there since it was first seen.
    bool is_new = !places_.contains(track.number);
    found = stays_.emplace(key, Stay{next_object_++, {}, is_new ? track.began : time, time, {}, false}).first;
  }
  auto& stay = found->second;
  finding.object = stay.object;
  finding.started = stay.began;
  stay.newest = finding;
  if (enters) {
    sink.tell(finding);
  } else if (options_.update > Duration::zero() && time - stay.told >= options_.update) {
    finding.phase = EventPhase::kUpdate;
    stay.told = time;
    sink.tell(finding);
  }
  if (options_.dwell > Duration::zero() && !stay.is_long && time - stay.began >= options_.dwell) {
    stay.is_long = true;
    auto dwells = stay.newest;
    dwells.class_name = "dwell";
    dwells.details =
        ordered_json{{"class", track.newest.class_name}, {"seconds", seconds_between(stay.began, time)}}
            .dump();
    tell_moment(std::move(dwells), sink);
  }
}

void Presence::look_at_lines(const Track& track, FindingSink& sink) {
  auto before = places_.find(track.number);
  auto from = before == places_.end() ? place_of(track.first) : before->second;
  for (const auto& line : options_.lines) {
    auto side = crossing(line, from, place_of(track.newest.box));
    if (!side) continue;
    auto finding = finding_of(track, names_[track.number]);
    finding.class_name = "crossing";
    finding.details = ordered_json{{"class", track.newest.class_name},
                                   {"line", line.name},
                                   {"direction", *side == Side::kRight ? "right" : "left"}}
                          .dump();
    tell_moment(std::move(finding), sink);
  }
}

void Presence::leave(StayKey key, FindingSink& sink) {
  auto found = stays_.find(key);
  if (found == stays_.end()) return;
  auto end = std::move(found->second.newest);
  end.phase = EventPhase::kEnd;
  stays_.erase(found);
  sink.tell(std::move(end));
}

// Where it went, and for how long it was there.
void Presence::leave_all(const Track& track, FindingSink& sink) {
  auto from = place_of(track.first), to = place_of(track.newest.box);
  auto details = ordered_json{{"seconds", seconds_between(track.began, track.last_seen)},
                              {"moved", {rounded(to.x - from.x), rounded(to.y - from.y)}}}
                     .dump();
  for (std::size_t zone = 0; zone < options_.zones.size(); ++zone) {
    auto found = stays_.find({track.number, zone});
    if (found == stays_.end()) continue;
    found->second.newest.details = details;
    leave(found->first, sink);
  }
  places_.erase(track.number);
  names_.erase(track.number);
}

// Begins and ends with this picture.
void Presence::tell_moment(Finding finding, FindingSink& sink) {
  finding.object = next_object_++;
  finding.phase = EventPhase::kStart;
  finding.started.reset();
  auto end = finding;
  end.phase = EventPhase::kEnd;
  sink.tell(std::move(finding));
  sink.tell(std::move(end));
}

}  // namespace gopline::analyzer
