#include "splitter/live/connection.h"

#include "common/base/logging.h"

namespace gopline::splitter {
namespace {

constexpr Duration kSettling = std::chrono::seconds(1);
// A capture time that is further than this from where the segment before ended has jumped.
constexpr Duration kJump = std::chrono::seconds(1);

Duration to_duration(std::int64_t ticks, std::int64_t timescale) {
  return Duration(rescale(ticks, {1, timescale}, {1, 1'000'000}));
}

// How long after its decoding a picture is shown. More than a second is a timestamp that went wild.
Duration shown_after(Duration offset) {
  return std::chrono::abs(offset) <= std::chrono::seconds(1) ? offset : Duration{};
}

}  // namespace

Connection::Connection(media::Demuxer& demuxer, const Clock& clock, const SegmenterOptions& segmenter,
                       const CaptureTimeOptions& capture_time, Outbox& outbox, StreamMetrics stream_metrics,
                       SourceMetrics source_metrics)
    : demuxer_(demuxer),
      clock_(clock),
      outbox_(outbox),
      stream_metrics_(std::move(stream_metrics)),
      source_metrics_(std::move(source_metrics)),
      main_(media::main_track_of(demuxer.tracks())),
      segmenter_(demuxer.tracks(), segmenter),
      times_(capture_time) {}

void Connection::take(media::Packet packet) {
  packet.arrival = clock_.steady_now();
  if (!first_arrival_) first_arrival_ = packet.arrival;
  ++packets_;
  if (packet.track == main_) ++pictures_;
  stream_metrics_.packets.add();
  stream_metrics_.packet_bytes.add(static_cast<double>(packet.data.size()));
  if (packet.flags & media::packet_flags::kCorrupt) {
    ++corrupt_;
    stream_metrics_.corrupt_packets.add();
  }
  segmenter_.push(std::move(packet));
}

Result<void> Connection::pass_on() {
  while (auto segment = segmenter_.pop()) {
    fill_in_times(*segment);
    observe(*segment);
    GOPLINE_TRY(build(*segment));
  }
  bool settled = first_arrival_ && clock_.steady_now() - *first_arrival_ >= kSettling;
  for (; settled && !waiting_.empty(); waiting_.pop_front()) hand_over(waiting_.front());
  return {};
}

Result<void> Connection::finish(record::EndCause cause) {
  segmenter_.finish();
  auto passed = pass_on();
  for (; !waiting_.empty(); waiting_.pop_front()) hand_over(waiting_.front());
  if (began_) outbox_.push(EpochEnd{cause});
  return passed;
}

// RTP's first packets come without times, which is libavformat's doing and nothing to keep: many containers
// refuse such packets.
void Connection::fill_in_times(media::Segment& segment) {
  for (auto& run : segment.runs) {
    for (auto& timed : run.packets) {
      if (!timed.packet.dts) timed.packet.dts = timed.dts;
      if (!timed.packet.pts) timed.packet.pts = timed.pts;
    }
  }
}

void Connection::observe(const media::Segment& segment) {
  if (segment.discontinuity) times_.forget();
  auto now = clock_.now();
  auto steady_now = clock_.steady_now();
  for (const auto& run : segment.runs) {
    if (run.track != main_) continue;
    auto num = demuxer_.tracks()[static_cast<std::size_t>(main_)].time_base.num;
    for (const auto& timed : run.packets) {
      if (!timed.packet.arrival) continue;
      auto media = to_duration(timed.time, segment.timescale) +
                   shown_after(to_duration((timed.pts - timed.dts) * num, segment.timescale));
      auto ago = std::chrono::duration_cast<Duration>(steady_now - *timed.packet.arrival);
      times_.observe(media, *timed.packet.arrival, now - ago, timed.packet.producer_time);
      stream_metrics_.capture_to_read.observe(now - ago - times_.at(media).time);
    }
  }
  if (!times_.knows_anything()) observe_any(segment);
  if (auto skew = times_.skew()) source_metrics_.clock_offset.set(*skew);
}

// Of a segment without pictures, behind a jump or when nothing else ever came, sound has to tell the time.
void Connection::observe_any(const media::Segment& segment) {
  auto wall_minus_steady = clock_.now().time_since_epoch() - clock_.steady_now().time_since_epoch();
  for (const auto& run : segment.runs) {
    auto timescale = demuxer_.tracks()[static_cast<std::size_t>(run.track)].time_base.den;
    for (const auto& timed : run.packets) {
      if (!timed.packet.arrival) continue;
      auto at = *timed.packet.arrival;
      Timestamp wall(std::chrono::duration_cast<Duration>(at.time_since_epoch() + wall_minus_steady));
      times_.observe(to_duration(timed.time, timescale), at, wall, {});
    }
  }
}

Result<void> Connection::build(const media::Segment& segment) {
  if (!builder_) {
    GOPLINE_ASSIGN(builder_, media::SegmentBuilder::create(demuxer_.tracks(), segment));
  }
  GOPLINE_ASSIGN(auto built, builder_->build(segment));
  auto offset = shown_after(to_duration(segment.first_pts - segment.start, segment.timescale));
  Waiting waiting{std::move(built),
                  to_duration(segment.start, segment.timescale) + offset,
                  to_duration(segment.duration, segment.timescale),
                  {},
                  segment.discontinuity};
  waiting.read = clock_.steady_now();
  for (const auto& run : segment.runs) {
    for (const auto& timed : run.packets)
      waiting.read = std::min(waiting.read, timed.packet.arrival.value_or(waiting.read));
  }
  media_time_ = to_duration(segment.start + segment.duration, segment.timescale);
  waiting_.push_back(std::move(waiting));
  return {};
}

// Within a segment, as its first part says.
CaptureTime::Estimate Connection::taken(const Waiting& waiting) {
  if (waiting.segment.part == 0) {
    segment_taken_ = times_.at(waiting.first_pts);
    segment_first_pts_ = waiting.first_pts;
  }
  return {segment_taken_.time + (waiting.first_pts - segment_first_pts_), segment_taken_.clock};
}

// A segment that does not begin when the one before it ended. Forward: the source paused or skipped. Back, or
// with the host's clock: a clock was set, nothing is missing.
void Connection::tell_jump(Timestamp time, bool follows_jump) {
  if (!newest_end_ || std::chrono::abs(time - *newest_end_) <= kJump) return;
  bool host_was_set = std::chrono::abs(times_.wall_minus_steady() - wall_minus_steady_) > kJump;
  // Where timestamps jump, how long the last pictures before that were shown is a guess, and so is the end.
  bool overlaps = time < *newest_end_ && time >= newest_begin_ - kJump;
  if (follows_jump && overlaps && !host_was_set) return;
  bool was_set = time < *newest_end_ || host_was_set;
  outbox_.push(record::GapFacts{was_set ? record::GapCause::kClock : record::GapCause::kSourceOutage,
                                std::min(*newest_end_, time), time, 0});
}

void Connection::hand_over(Waiting& waiting) {
  auto [time, clock] = taken(waiting);
  if (!began_) {
    began_ = true;
    outbox_.push(EpochBegin{demuxer_.info(), demuxer_.tracks(), builder_->init_xxh3(), clock});
  }
  if (waiting.segment.part == 0) tell_jump(time, waiting.follows_jump);
  auto offset = time.time_since_epoch() - waiting.first_pts;
  if (!begin_offset_) begin_offset_ = offset;
  source_metrics_.media_drift.set(*begin_offset_ - offset);
  if (waiting.segment.part == 0) newest_begin_ = time;
  newest_end_ = time + waiting.duration;
  wall_minus_steady_ = times_.wall_minus_steady();
  outbox_.push(LiveSegment{std::move(waiting.segment), time, *newest_end_, waiting.read, clock});
}

}  // namespace gopline::splitter
