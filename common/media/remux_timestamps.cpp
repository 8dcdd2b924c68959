#include "common/media/remux_timestamps.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gopline::media {
namespace {

// "No time" inside this file, as in libavformat; the arithmetic below relies on it being the least value.
constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kJumpUs = 10'000'000;                // -dts_delta_threshold
constexpr std::int64_t kErrorUs = 3600LL * 30 * 1'000'000;  // -dts_error_threshold

// Times beyond this are nonsense; within it, sums of a few of them cannot overflow.
constexpr std::int64_t kFarthest = std::int64_t{1} << 60;

std::int64_t sane(std::int64_t time) {
  return std::clamp(time, -kFarthest, kFarthest);
}

std::int64_t convert(std::int64_t value, Rational from, Rational to) {
  return sane(rescale(value, from, to));
}

std::int64_t rescale_ceil(std::int64_t value, Rational from, Rational to) {
  return -rescale_floor(-value, from, to);
}

std::optional<std::int64_t> known(std::int64_t time) {
  return time == kNone ? std::nullopt : std::optional(time);
}

// Sound in ticks coarser than its samples: the true position lies within half a tick of what the source says,
// so a packet that may directly follow the one before is taken to do so. `last` is the end of the packet
// before, in samples.
std::int64_t rescale_sound(std::int64_t time, Rational from, Rational samples, int duration,
                           std::int64_t& last, Rational to) {
  auto plainly = [&] {
    last = convert(time, from, samples) + duration;
    return convert(time, from, to);
  };
  if (last == kNone || duration == 0 || from.num * to.den <= to.num * from.den) return plainly();
  std::int64_t low = rescale_floor(2 * time - 1, from, samples) >> 1;
  std::int64_t high = (rescale_ceil(2 * time + 1, from, samples) + 1) >> 1;
  if (last < 2 * low - high || last > 2 * high - low) return plainly();
  std::int64_t position = std::clamp(last, low, high);
  last = position + duration;
  return convert(position, samples, to);
}

}  // namespace

RemuxTimestamps::RemuxTimestamps(const RemuxSettings& settings, std::vector<RemuxTrack> tracks)
    : settings_(settings), last_us_(kNone) {
  for (auto& track : tracks) {
    states_.push_back({.track = std::move(track),
                       .dts_us = kNone,
                       .next_dts_us = kNone,
                       .rescale_last = kNone,
                       .last_muxed = kNone});
  }
  restart(0);
}

void RemuxTimestamps::begin_run(const RemuxSettings& settings, const std::vector<RemuxTrack>& tracks,
                                std::int64_t place_us) {
  settings_ = settings;
  for (std::size_t i = 0; i < states_.size() && i < tracks.size(); ++i) states_[i].track = tracks[i];
  restart(place_us);
}

void RemuxTimestamps::restart(std::int64_t place_us) {
  place_us_ = place_us;
  offset_us_ = place_us - settings_.start_time_us.value_or(0);
  jump_us_ = 0;
  for (auto& state : states_) {
    state.seen = false;
    state.started = false;
    state.wrap_settled = false;
    state.rescale_last = kNone;
  }
  expect_hole();
  if (settings_.dialect == RemuxDialect::kFfmpeg7 && !states_.empty()) correct_start(states_.front());
}

void RemuxTimestamps::expect_hole() {
  last_us_ = kNone;
  for (auto& state : states_) state.next_dts_us = kNone;
}

// The file's start may be that of a track which is not carried: where timestamps may jump, the carried ones
// decide.
void RemuxTimestamps::correct_start(State& state) {
  if (!settings_.start_time_us || !settings_.timestamps_may_jump) return;
  if (settings_.dialect == RemuxDialect::kFfmpeg5 &&
      (state.next_dts_us != kNone || jump_us_ != 0 || offset_us_ != place_us_ - *settings_.start_time_us)) {
    return;
  }
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (const auto& each : states_) {
    if (each.track.start_time) {
      least = std::min(least, convert(*each.track.start_time, each.track.source_base, kMicroseconds));
    }
  }
  if (least == std::numeric_limits<std::int64_t>::max()) return;
  bool correct = settings_.dialect == RemuxDialect::kFfmpeg5 ? least > *settings_.start_time_us
                                                             : least != *settings_.start_time_us;
  if (!correct) return;
  offset_us_ = place_us_ - least;
  if (settings_.dialect == RemuxDialect::kFfmpeg7) {
    if (*settings_.start_time_us == 0 && least < 0) offset_us_ = place_us_;  // as 7.x computes it
    settings_.start_time_us = least;
  }
}

// A first timestamp in the upper half of the counter's range lies before the start: the counter has wrapped
// since.
void RemuxTimestamps::unwrap(State& state, Stamps& stamps) const {
  if (state.wrap_settled || !settings_.start_time_us || settings_.wrap_bits >= 63) return;
  auto start = convert(*settings_.start_time_us, kMicroseconds, state.track.source_base);
  auto range = std::int64_t{1} << settings_.wrap_bits;
  state.wrap_settled = true;
  for (auto* time : {&stamps.dts, &stamps.pts}) {
    if (*time == kNone || *time <= start + range / 2) continue;
    *time -= range;
    state.wrap_settled = false;
  }
}

void RemuxTimestamps::shift(const State& state, Stamps& stamps, std::int64_t by_us) const {
  auto ticks = convert(by_us, kMicroseconds, state.track.source_base);
  if (stamps.dts != kNone) stamps.dts += ticks;
  if (stamps.pts != kNone) stamps.pts += ticks;
}

void RemuxTimestamps::apply_offset(const State& state, Stamps& stamps) const {
  if (settings_.dialect == RemuxDialect::kFfmpeg5) {
    shift(state, stamps, offset_us_ + jump_us_);
  } else {
    shift(state, stamps, offset_us_);
    shift(state, stamps, jump_us_);
  }
}

// Where a format's timestamps may jump (MPEG-TS), a jump is closed for all tracks; elsewhere a wild timestamp
// is dropped.
void RemuxTimestamps::close_jump(State& state, Stamps& stamps) {
  bool timed = state.track.type == MediaType::kVideo || state.track.type == MediaType::kAudio;
  bool old = settings_.dialect == RemuxDialect::kFfmpeg5;
  const auto base = state.track.source_base;
  if (timed && stamps.dts != kNone) {
    auto dts_us = convert(stamps.dts, base, kMicroseconds);
    auto expected = state.next_dts_us != kNone      ? state.next_dts_us
                    : settings_.timestamps_may_jump ? last_us_
                                                    : kNone;
    auto delta = expected == kNone ? 0 : dts_us - expected;
    if (settings_.timestamps_may_jump) {
      bool back = state.next_dts_us != kNone && dts_us + 100'000 < state.dts_us;
      if (delta > kJumpUs || delta < -kJumpUs || back) {
        jump_us_ -= delta;
        shift(state, stamps, -delta);
      }
    } else if (expected != kNone) {
      if (delta > kErrorUs || delta < -kErrorUs) stamps.dts = kNone;
      if (stamps.pts != kNone) {
        auto pts_delta = convert(stamps.pts, base, kMicroseconds) - expected;
        if (pts_delta > kErrorUs || pts_delta < -kErrorUs) stamps.pts = kNone;
      }
    }
  }
  if (stamps.dts != kNone && (old || timed)) last_us_ = convert(stamps.dts, base, kMicroseconds);
}

// Keeps the track's clock: this packet's dts, or what it must be from those before it, and the next one's.
void RemuxTimestamps::estimate(State& state, const Stamps& stamps) const {
  const auto& track = state.track;
  if (!state.seen) {
    state.dts_us = 0;
    if (track.frame_rate.num != 0) {
      // Through a double and towards zero, as ffmpeg computes it.
      state.dts_us = static_cast<std::int64_t>(-track.video_delay * 1'000'000 / track.frame_rate.to_double());
    }
    if (stamps.pts != kNone) state.dts_us += convert(stamps.pts, track.source_base, kMicroseconds);
    state.seen = true;
  }
  if (state.next_dts_us == kNone) state.next_dts_us = state.dts_us;
  if (stamps.dts != kNone) state.next_dts_us = convert(stamps.dts, track.source_base, kMicroseconds);
  state.dts_us = state.next_dts_us;
  if (track.type == MediaType::kAudio) {
    state.next_dts_us += track.sample_rate > 0 ? 1'000'000LL * track.frame_size / track.sample_rate
                                               : convert(stamps.duration, track.source_base, kMicroseconds);
  } else if (track.type == MediaType::kVideo) {
    if (stamps.duration != 0) {
      state.next_dts_us += convert(stamps.duration, track.source_base, kMicroseconds);
    } else if (track.frame_rate.num != 0) {
      state.next_dts_us += 1'000'000LL * track.frame_rate.den / track.frame_rate.num;
    }
  }
}

// Into the muxer's ticks. 7.x fills a missing dts in source ticks and then treats all sound alike.
void RemuxTimestamps::to_output(State& state, Stamps& stamps, int audio_samples) const {
  const auto& track = state.track;
  const auto from = track.source_base;
  const auto to = track.output_base;
  bool sound = track.type == MediaType::kAudio && track.sample_rate > 0;
  bool guessed = stamps.dts == kNone;
  auto through_samples = [&](std::int64_t dts) {
    int duration = audio_samples > 0 ? audio_samples : track.frame_size;
    return rescale_sound(dts, from, {1, track.sample_rate}, duration, state.rescale_last, to);
  };
  if (settings_.dialect == RemuxDialect::kFfmpeg7 && guessed) {
    stamps.dts = convert(state.dts_us, kMicroseconds, from);
    guessed = false;
  }
  if (sound && !guessed) {
    stamps.pts = stamps.dts = through_samples(stamps.dts);
  } else {
    stamps.dts = guessed ? convert(state.dts_us, kMicroseconds, to) : convert(stamps.dts, from, to);
    if (stamps.pts != kNone) stamps.pts = convert(stamps.pts, from, to);
  }
  stamps.duration = convert(stamps.duration, from, to);
}

// A dts beyond its pts becomes the middle one of pts, dts and the dts that is next in turn; then dts never go
// back.
void RemuxTimestamps::make_muxable(State& state, Stamps& stamps) const {
  if (settings_.has_timestamps) {
    if (stamps.dts != kNone && stamps.pts != kNone && stamps.dts > stamps.pts) {
      auto next =
          state.last_muxed + 1;  // wraps to the least value + 1 when there was none: then the lesser one wins
      stamps.pts = stamps.dts =
          std::max(std::min(stamps.pts, stamps.dts), std::min(std::max(stamps.pts, stamps.dts), next));
    }
    bool ordered = state.track.type != MediaType::kData;
    if (ordered && stamps.dts != kNone && state.last_muxed != kNone) {
      auto least = state.last_muxed + (settings_.strict_dts ? 1 : 0);
      if (stamps.dts < least) {
        if (stamps.pts != kNone && stamps.pts >= stamps.dts) stamps.pts = std::max(stamps.pts, least);
        stamps.dts = least;
      }
    }
  }
  state.last_muxed = stamps.dts;
}

std::optional<RemuxTimes> RemuxTimestamps::next(const Packet& packet, int audio_samples) {
  auto& state = states_[static_cast<std::size_t>(packet.track)];
  Stamps stamps{packet.pts ? sane(*packet.pts) : kNone, packet.dts ? sane(*packet.dts) : kNone,
                sane(packet.duration)};
  if (settings_.dialect == RemuxDialect::kFfmpeg5 && settings_.wrap_bits < 64 && !state.wrap_settled)
    correct_start(state);
  unwrap(state, stamps);
  apply_offset(state, stamps);
  close_jump(state, stamps);
  estimate(state, stamps);
  if (!state.started && !packet.is_key()) return std::nullopt;
  state.started = true;
  to_output(state, stamps, audio_samples);
  make_muxable(state, stamps);
  return RemuxTimes{known(stamps.pts), known(stamps.dts), stamps.duration};
}

}  // namespace gopline::media
