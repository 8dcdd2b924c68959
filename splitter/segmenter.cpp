#include "splitter/segmenter.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/media/access_point.h"
#include "common/media/segment_builder.h"

namespace gopline::splitter {
namespace {

constexpr Rational kOneSecond{1, 1};
// One trun counts up to this many samples here, so that the exact box's 16-bit count is never reached.
constexpr std::size_t kMaxPacketsPerRun = 8192;

Rational seconds_of(Duration duration) {
  return {duration.count(), 1'000'000};
}

Rational time_in_seconds(std::int64_t time, const media::Track& track) {
  return {time, track.time_base.den};
}

// Whether a packet at `time` follows the run without a hole, or how long its newest is will be said by it.
bool goes_on(const std::vector<media::Run>& runs, int run, std::int64_t time) {
  const auto& newest = runs[static_cast<std::size_t>(run)].packets.back();
  return newest.time + newest.duration == time;
}

}  // namespace

Segmenter::Segmenter(std::vector<media::Track> tracks, SegmenterOptions options)
    : tracks_(std::move(tracks)),
      options_(options),
      cut_unit_(seconds_of(options.segment_duration)),
      main_(media::main_track_of(tracks_)),
      resolver_(tracks_.size()),
      timeline_(tracks_, seconds_of(options.longest_pause)),
      pending_(tracks_.size()) {
  if (!media::SegmentBuilder::has_parts(tracks_)) options_.latency = Latency::kNormal;
  for (const auto& track : tracks_) watches_.emplace_back(track);
}

void Segmenter::push(media::Packet packet) {
  buffered_bytes_ += packet.data.size();
  resolver_.push(std::move(packet));
  resolve_and_place(false);
}

void Segmenter::finish() {
  resolve_and_place(true);
  if (!started_) begin_timeline();
  cut();
  for (auto& pending : pending_) settle(pending, std::nullopt);
  finished_ = true;
}

void Segmenter::resolve_and_place(bool at_end) {
  while (auto packet = resolver_.pop(at_end)) {
    if (started_) {
      place(std::move(*packet));
      continue;
    }
    waiting_for_t0_.push_back(std::move(*packet));
    std::vector<bool> seen(tracks_.size());
    std::optional<Rational> least, most;
    for (const auto& waiting : waiting_for_t0_) {
      auto track = static_cast<std::size_t>(waiting.packet.track);
      auto time = ticks_to_seconds(waiting.dts, tracks_[track].time_base);
      seen[track] = true;
      if (!least || time < *least) least = time;
      if (!most || time > *most) most = time;
    }
    bool all_seen = std::ranges::all_of(seen, [](bool s) { return s; });
    if (all_seen || *most - *least > kOneSecond) begin_timeline();
  }
}

// T0 is the least first dts over the tracks seen so far.
void Segmenter::begin_timeline() {
  started_ = true;
  std::vector<bool> seen(tracks_.size());
  std::optional<Rational> least;
  for (const auto& waiting : waiting_for_t0_) {
    auto track = static_cast<std::size_t>(waiting.packet.track);
    if (seen[track]) continue;
    seen[track] = true;
    auto time = ticks_to_seconds(waiting.dts, tracks_[track].time_base);
    if (!least || time < *least) least = time;
  }
  t0_ = least.value_or(Rational{0, 1});
  timeline_.start(t0_);
  auto waiting = std::move(waiting_for_t0_);
  waiting_for_t0_.clear();
  for (auto& packet : waiting) place(std::move(packet));
}

void Segmenter::place(ResolvedPacket packet) {
  auto index = static_cast<std::size_t>(packet.packet.track);
  auto place = timeline_.place(packet.packet.track, packet.dts, packet.packet.duration);
  auto changed = watches_[index].observe(packet.packet);
  if (open_ && (changed || place.discontinuity || must_cut(packet, place))) {
    cut();
  } else if (open_ && part_is_over(place, packet.packet.track)) {
    if (packet.packet.track == main_) settle_by(pending_[index], place.time);
    close_part(time_in_seconds(place.time, tracks_[index]));
  }
  if (!open_) {
    open_ = std::make_unique<Open>();
    open_->run_of_track.assign(tracks_.size(), -1);
    open_->begin = time_in_seconds(place.time, tracks_[index]);
    open_->segment.discontinuity = place.discontinuity;
  }
  if (changed) {
    tracks_[index] = std::move(*changed);
    open_->segment.new_tracks = tracks_;
  }
  append(std::move(packet), place);
  settle_the_silent();
}

std::int64_t Segmenter::floor_of(std::int64_t main_time) const {
  return floor_div(time_in_seconds(main_time, tracks_[static_cast<std::size_t>(main_)]), cut_unit_);
}

bool Segmenter::must_cut(const ResolvedPacket& packet, const Timeline::Place& place) const {
  auto bytes = open_->left_bytes + open_->segment.sample_bytes + packet.packet.data.size();
  if (packet.packet.track != main_) {
    return bytes >= 2 * options_.max_segment_bytes || main_is_silent(place, packet.packet.track);
  }
  if (!open_->first_main_time) return false;  // its first main packet decides what the segment is
  if (bytes >= options_.max_segment_bytes) return true;
  auto open_for =
      Rational{place.time - *open_->first_main_time, tracks_[static_cast<std::size_t>(main_)].time_base.den};
  if (open_for >= seconds_of(options_.max_segment_time)) return true;
  if (!packet.packet.is_key()) return false;
  return open_->segment.sap == 0 || floor_of(place.time) != floor_of(*open_->first_main_time);
}

// Without main packets nothing else would bound the open segment.
bool Segmenter::main_is_silent(const Timeline::Place& place, int track) const {
  auto now = time_in_seconds(place.time, tracks_[static_cast<std::size_t>(track)]);
  auto since = open_->begin;
  if (last_main_ && *last_main_ > since) since = *last_main_;
  return now - since >= seconds_of(options_.max_segment_time);
}

void Segmenter::cut() {
  if (open_) closed_.push_back(std::move(open_));
}

bool Segmenter::part_is_over(const Timeline::Place& place, int track) const {
  if (options_.latency != Latency::kLow || !open_->part_begin) return false;
  // The first part says when the segment begins.
  if (track != main_ && open_->segment.part == 0 && !has_settled_main()) return false;
  auto since = time_in_seconds(place.time, tracks_[static_cast<std::size_t>(track)]) - *open_->part_begin;
  return since >= seconds_of(options_.part_duration * (track == main_ ? 1 : 2));
}

bool Segmenter::has_settled_main() const {
  auto run = open_->run_of_track[static_cast<std::size_t>(main_)];
  if (run < 0) return false;
  bool is_newest_pending = pending_[static_cast<std::size_t>(main_)].owner == open_.get();
  return open_->segment.runs[static_cast<std::size_t>(run)].packets.size() > (is_newest_pending ? 1 : 0);
}

void Segmenter::close_part(Rational now) {
  auto part = settled_part();
  if (part->segment.runs.empty()) return;
  open_->part_begin = now;
  closed_.push_back(std::move(part));
}

// Takes the packets whose durations are known out of the open segment. A track has at most one that is not,
// its newest.
std::unique_ptr<Segmenter::Open> Segmenter::settled_part() {
  auto part = std::make_unique<Open>();
  auto& rest = open_->segment;
  part->segment.part = rest.part;
  part->segment.last_part = false;
  std::vector<media::Run> left;
  open_->run_of_track.assign(tracks_.size(), -1);
  for (std::size_t i = 0; i < rest.runs.size(); ++i) {
    auto& run = rest.runs[i];
    auto& pending = pending_[static_cast<std::size_t>(run.track)];
    if (pending.owner == open_.get() && pending.run == i) {
      pending.run = left.size();
      open_->run_of_track[static_cast<std::size_t>(run.track)] = static_cast<int>(left.size());
      left.push_back({run.track, run.origin, {}});
      left.back().packets.push_back(std::move(run.packets.back()));
      run.packets.pop_back();
    }
    for (const auto& timed : run.packets) part->segment.sample_bytes += timed.packet.data.size();
    if (!run.packets.empty()) part->segment.runs.push_back(std::move(run));
  }
  rest.runs = std::move(left);
  if (part->segment.runs.empty()) return part;
  if (rest.part == 0) {  // these are said once
    part->segment.sap = rest.sap;
    part->segment.discontinuity = std::exchange(rest.discontinuity, false);
    part->segment.new_tracks = std::exchange(rest.new_tracks, {});
  }
  ++rest.part;
  rest.sample_bytes -= part->segment.sample_bytes;
  open_->left_bytes += part->segment.sample_bytes;
  return part;
}

void Segmenter::append(ResolvedPacket resolved, const Timeline::Place& place) {
  auto index = static_cast<std::size_t>(resolved.packet.track);
  const auto& track = tracks_[index];
  auto& segment = open_->segment;
  auto& pending = pending_[index];
  bool too_far = settle_by(pending, place.time);

  auto& run_index = open_->run_of_track[index];
  if (run_index < 0 || place.new_origin || too_far || !goes_on(segment.runs, run_index, place.time) ||
      segment.runs[static_cast<std::size_t>(run_index)].packets.size() >= kMaxPacketsPerRun) {
    run_index = static_cast<int>(segment.runs.size());
    segment.runs.push_back({resolved.packet.track, place.origin, {}});
  }
  if (resolved.packet.track == main_) {
    if (!open_->first_main_time) {
      open_->first_main_time = place.time;
      open_->part_begin = time_in_seconds(place.time, track);
      segment.sap = media::sap_type(track, resolved.packet);
    }
    last_main_ = time_in_seconds(place.time, track);
  }
  segment.sample_bytes += resolved.packet.data.size();
  pending = {open_.get(), static_cast<std::size_t>(run_index),
             time_in_seconds(place.time + resolved.packet.duration * track.time_base.num, track)};
  ++open_->unknown_durations;
  media::TimedPacket timed;
  timed.dts = resolved.dts;
  timed.pts = resolved.pts;
  timed.time = place.time;
  timed.packet = std::move(resolved.packet);
  segment.runs[static_cast<std::size_t>(run_index)].packets.push_back(std::move(timed));
}

// By the packet that follows it. True: that one is too far away to say how long it is.
bool Segmenter::settle_by(Pending& pending, std::int64_t next_time) {
  bool too_far = pending.owner && next_time - pending.owner->segment.runs[pending.run].packets.back().time >
                                      std::numeric_limits<std::uint32_t>::max();
  settle(pending, too_far ? std::nullopt : std::optional(next_time));
  return too_far;
}

// Gives the track's newest packet its duration: the distance to the next one, or its own when none is to be
// waited for.
void Segmenter::settle(Pending& pending, std::optional<std::int64_t> next_time) {
  if (!pending.owner) return;
  auto& run = pending.owner->segment.runs[pending.run];
  auto& timed = run.packets.back();
  auto num = tracks_[static_cast<std::size_t>(run.track)].time_base.num;
  timed.duration =
      next_time ? *next_time - timed.time : std::max<std::int64_t>(timed.packet.duration, 0) * num;
  timed.duration = std::min<std::int64_t>(timed.duration, std::numeric_limits<std::uint32_t>::max());
  --pending.owner->unknown_durations;
  pending.owner = nullptr;
}

// A closed segment waits at most a second of media time for a track that has gone quiet, and so do parts for
// the sound.
void Segmenter::settle_the_silent() {
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    auto& pending = pending_[i];
    bool holds_part_back = options_.latency == Latency::kLow && static_cast<int>(i) != main_;
    bool is_waited_for = pending.owner != open_.get() || holds_part_back;
    if (pending.owner && is_waited_for && timeline_.end() - pending.own_end > kOneSecond) {
      settle(pending, std::nullopt);
    }
  }
}

std::optional<media::Segment> Segmenter::pop() {
  if (closed_.empty() || closed_.front()->unknown_durations > 0) return std::nullopt;
  auto segment = completed(*closed_.front());
  closed_.pop_front();
  return segment;
}

media::Segment Segmenter::completed(Open& open) {
  auto& segment = open.segment;
  std::ranges::stable_sort(segment.runs, {},
                           [&](const media::Run& run) { return run.track == main_ ? -1 : run.track; });
  segment.timescale = tracks_[static_cast<std::size_t>(main_)].time_base.den;
  segment.start = main_end_;
  segment.first_pts = main_end_;
  if (segment.part > 0) segment.sap = 0;
  if (!segment.runs.empty() && segment.runs.front().track == main_) {
    const auto& run = segment.runs.front();
    const auto& first = run.packets.front();
    segment.start = first.time;
    segment.first_pts = (first.pts - run.origin) * tracks_[static_cast<std::size_t>(main_)].time_base.num;
  }
  for (const auto& run : segment.runs) {
    if (run.track != main_) continue;
    for (const auto& timed : run.packets) segment.duration += timed.duration;
  }
  main_end_ = segment.start + segment.duration;
  buffered_bytes_ -= std::min(buffered_bytes_, segment.sample_bytes);
  return std::move(segment);
}

}  // namespace gopline::splitter
