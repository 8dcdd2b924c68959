#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "common/base/rational.h"
#include "common/media/parameter_change.h"
#include "common/media/segment.h"
#include "common/media/types.h"
#include "splitter/timeline.h"
#include "splitter/timestamp_resolver.h"

namespace gopline::splitter {

// What is to be had of the open segment before it is whole.
enum class Latency {
  kNormal,  // nothing: segments leave whole
  kLow,     // parts leave one by one
};

// Shorter parts cost more than they gain in delay, longer ones gain nothing over short GOPs.
inline constexpr Duration kShortestPart = std::chrono::milliseconds(200);
inline constexpr Duration kLongestPart = std::chrono::milliseconds(500);

struct SegmenterOptions {
  Duration segment_duration = std::chrono::seconds(2);
  std::uint64_t max_segment_bytes = 16 << 20;            // sum of sample sizes
  Duration max_segment_time = std::chrono::seconds(10);  // without an access point
  Duration longest_pause = std::chrono::seconds(10);     // of timestamps; beyond it they have jumped
  Latency latency = Latency::kNormal;
  Duration part_duration = std::chrono::milliseconds(300);  // kLow
};

// Packets in, segments out: docs/record-format.md, section "Cutting".
//
// Cut at the first access point of the main track at which floor(t / segment_duration) differs from that of
// the open segment's first packet; t is timeline time as an exact fraction, so two splitters of one source
// cut alike. After a continuation the next access point always cuts. A segment leaves when the duration of
// its last packet in every track is known.
//
// With low latency a segment leaves in parts: one closes at the first main packet that comes part_duration or
// more after the one at which the part before closed, and takes all packets whose durations are known; the
// others open the next part. (A main track that is silent for twice as long is not waited for.) The last part
// is what the cut leaves. Parts differ from the whole segment in nothing but where fragments end.
//
// Pure: no clock, no threads, no input or output. Memory: the open segment or part, plus at most about a
// second.
class Segmenter {
 public:
  // Of tracks whose segments cannot leave in parts (NUT), they leave whole.
  Segmenter(std::vector<media::Track> tracks, SegmenterOptions options);

  void push(media::Packet packet);
  void finish();  // the source has ended
  // The next finished segment or part of one, in order.
  std::optional<media::Segment> pop();

  // The source's time, in seconds, at timeline zero; known once the first segment has left.
  Rational t0() const { return t0_; }
  std::uint64_t buffered_bytes() const { return buffered_bytes_; }

 private:
  struct Open {
    media::Segment segment;
    std::vector<int> run_of_track;  // index into segment.runs of each track's newest run; -1: none
    std::optional<std::int64_t> first_main_time;
    Rational begin{0, 1};  // timeline seconds of its first packet
    std::size_t unknown_durations = 0;
    std::uint64_t left_bytes = 0;        // of the samples that have left in parts
    std::optional<Rational> part_begin;  // timeline seconds at which the part before closed
  };
  // The newest packet of a track, whose duration is the distance to the next.
  struct Pending {
    Open* owner = nullptr;
    std::size_t run = 0;
    Rational own_end{0, 1};  // timeline seconds at which it ends by its own duration
  };

  void resolve_and_place(bool at_end);
  void begin_timeline();
  void place(ResolvedPacket packet);
  bool must_cut(const ResolvedPacket& packet, const Timeline::Place& place) const;
  bool main_is_silent(const Timeline::Place& place, int track) const;
  void cut();
  bool part_is_over(const Timeline::Place& place, int track) const;
  bool has_settled_main() const;
  void close_part(Rational now);
  std::unique_ptr<Open> settled_part();
  void append(ResolvedPacket packet, const Timeline::Place& place);
  bool settle_by(Pending& pending, std::int64_t next_time);
  void settle(Pending& pending, std::optional<std::int64_t> next_time);
  void settle_the_silent();
  std::int64_t floor_of(std::int64_t main_time) const;
  media::Segment completed(Open& open);

  std::vector<media::Track> tracks_;
  SegmenterOptions options_;
  Rational cut_unit_;
  int main_;
  TimestampResolver resolver_;
  Timeline timeline_;
  std::vector<media::ParameterWatch> watches_;

  std::vector<ResolvedPacket> waiting_for_t0_;
  bool started_ = false;
  Rational t0_{0, 1};

  std::unique_ptr<Open> open_;
  std::deque<std::unique_ptr<Open>> closed_;
  std::vector<Pending> pending_;       // one per track
  std::int64_t main_end_ = 0;          // timeline ticks: where the main track's known durations end
  std::optional<Rational> last_main_;  // timeline seconds of the newest main packet
  std::uint64_t buffered_bytes_ = 0;
  bool finished_ = false;
};

}  // namespace gopline::splitter
