#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/media/demuxer.h"
#include "common/media/segment_builder.h"
#include "splitter/live/capture_time.h"
#include "splitter/live/metrics.h"
#include "splitter/live/outbox.h"
#include "splitter/metrics.h"
#include "splitter/segmenter.h"

namespace gopline::splitter {

// One connection to a live source: its packets, cut into segments, with their capture times, into the outbox.
// With low latency parts of segments go there; a segment's clock is read once, so that they follow each other
// without a gap. Segments wait until the source has been heard for a second, since one that sends a
// pre-buffer tells only by that how old its first pictures are. For one thread.
class Connection {
 public:
  Connection(media::Demuxer& demuxer, const Clock& clock, const SegmenterOptions& segmenter,
             const CaptureTimeOptions& capture_time, Outbox& outbox, StreamMetrics stream_metrics = {},
             SourceMetrics source_metrics = {});

  // The next packet from the source.
  void take(media::Packet packet);
  // No more packets; the open segment is cut where it is, and the epoch ends, if it had begun.
  Result<void> finish(record::EndCause cause);
  // An error of a segment that cannot be built ends the connection.
  Result<void> pass_on();

  const CaptureTime& capture_time() const { return times_; }
  Duration media_time() const { return media_time_; }  // of the newest segment's end
  std::int64_t packets() const { return packets_; }
  std::int64_t pictures() const { return pictures_; }  // packets of the main track
  std::int64_t corrupt_packets() const { return corrupt_; }

 private:
  struct Waiting {
    media::BuiltSegment segment;
    Duration first_pts{}, duration{};
    SteadyTime read{};
    bool follows_jump = false;  // of the source's timestamps
  };
  static void fill_in_times(media::Segment& segment);
  void observe(const media::Segment& segment);
  void observe_any(const media::Segment& segment);
  Result<void> build(const media::Segment& segment);
  CaptureTime::Estimate taken(const Waiting& waiting);
  void tell_jump(Timestamp time, bool follows_jump);
  void hand_over(Waiting& waiting);

  media::Demuxer& demuxer_;
  const Clock& clock_;
  Outbox& outbox_;
  StreamMetrics stream_metrics_;
  SourceMetrics source_metrics_;
  int main_;
  Segmenter segmenter_;
  CaptureTime times_;
  std::unique_ptr<media::SegmentBuilder> builder_;
  std::deque<Waiting> waiting_;
  std::optional<SteadyTime> first_arrival_;
  CaptureTime::Estimate segment_taken_;   // when the newest segment's first picture was
  Duration segment_first_pts_{};          // where that is on the timeline
  std::optional<Timestamp> newest_end_;   // capture time
  Timestamp newest_begin_;                // where that has a value: of the same segment
  Duration wall_minus_steady_{};          // of the host's clocks, then
  std::optional<Duration> begin_offset_;  // capture time less media time when the epoch began
  bool began_ = false;                    // the epoch, in the outbox
  Duration media_time_{};
  std::int64_t packets_ = 0, pictures_ = 0, corrupt_ = 0;
};

}  // namespace gopline::splitter
