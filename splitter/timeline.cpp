#include "splitter/timeline.h"

#include <algorithm>

namespace gopline::splitter {
namespace {
constexpr Rational kMostBack{1, 1};
}  // namespace

Timeline::Timeline(const std::vector<media::Track>& tracks, Rational longest_pause)
    : longest_pause_(longest_pause) {
  for (const auto& track : tracks) {
    TrackState state;
    state.time_base = track.time_base;
    state.may_jump =
        track.codec.type == media::MediaType::kVideo || track.codec.type == media::MediaType::kAudio;
    tracks_.push_back(state);
  }
}

void Timeline::start(Rational t0) {
  t0_ = t0;
  for (auto& track : tracks_) track.origin = floor_div(t0, track.time_base);
}

Rational Timeline::time_of(const TrackState& state, std::int64_t dts) const {
  return ticks_to_seconds(dts - state.origin, state.time_base);
}

bool Timeline::jumps(const TrackState& state, std::int64_t dts) const {
  if (!state.may_jump || !state.seen) return false;
  if (ticks_to_seconds(state.last_dts - dts, state.time_base) > kMostBack) return true;
  // A source of a picture every few seconds does not pause.
  auto expected = state.last_dts + std::max(state.last_duration, state.last_step);
  return ticks_to_seconds(dts - expected, state.time_base) > longest_pause_ &&
         time_of(state, dts) > end_ + longest_pause_;
}

Timeline::Place Timeline::place(int track, std::int64_t dts, std::int64_t duration) {
  auto& state = tracks_[static_cast<std::size_t>(track)];
  Place place;
  if (jumps(state, dts)) {
    place.new_origin = true;
    bool others_moved = state.generation != generation_;
    state.generation = generation_;
    state.origin = floor_div(t0_, state.time_base);
    auto moved = time_of(state, dts);
    if (!others_moved || moved > end_ + longest_pause_ || moved < end_ - longest_pause_) {
      t0_ = ticks_to_seconds(dts, state.time_base) - end_;
      state.origin = floor_div(t0_, state.time_base);
      state.generation = ++generation_;
      place.discontinuity = true;
    }
  }
  place.origin = state.origin;
  place.time = std::max({std::int64_t{0}, state.last_time, (dts - state.origin) * state.time_base.num});
  state.last_step = state.seen ? std::max<std::int64_t>(0, dts - state.last_dts) : 0;
  state.seen = true;
  state.last_dts = dts;
  state.last_duration = duration;
  state.last_time = place.time;
  auto end = ticks_to_seconds(place.time + duration * state.time_base.num, {1, state.time_base.den});
  if (end > end_) end_ = end;
  return place;
}

}  // namespace gopline::splitter
