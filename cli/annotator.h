#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aggregator/stream_item.h"
#include "cli/annotations.h"
#include "cli/carried_sound.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/media/frames/marker_pen.h"
#include "common/media/frames/picture_decoder.h"
#include "common/media/frames/picture_encoder.h"
#include "common/record/markers.h"
#include "splitter/packet_writer.h"

namespace gopline::cli {

struct AnnotateReport {
  std::int64_t pictures = 0;
  std::int64_t marked = 0;         // with anything drawn into them
  std::int64_t sound_packets = 0;  // carried over
  std::int64_t segments = 0;
  std::int64_t epochs = 0;
  std::int64_t gaps = 0;         // of what was read; behind each another epoch begins
  std::int64_t undecodable = 0;  // packets
};

struct AnnotatorOptions {
  std::string topic_namespace = "gopline";
  std::string stream, target;  // what is drawn into; what is made
};

// A stream's sequence into a stream of its own: what was found is drawn into its pictures, which become
// H.264, each at its capture time; its sound goes along as it is. An epoch for each uninterrupted part. Draws
// with the packets in between, so no more than a segment is in memory. Not thread-safe.
class Annotator {
 public:
  // All but the options outlive it.
  static Result<std::unique_ptr<Annotator>> open(Log& log, const Clock& clock, const Annotations& annotations,
                                                 AnnotatorOptions options, StopToken stop);

  Result<void> take(const aggregator::EpochBegin& begin);
  Result<void> take(const aggregator::SegmentData& segment);
  Result<void> take(const aggregator::Absence& absence);
  // The stream does not go on here: what the decoder holds back is drawn, too, and the epoch ends.
  Result<void> end(record::EndCause cause);

  const AnnotateReport& report() const { return report_; }
  // Up to which time pictures have been drawn.
  std::optional<Timestamp> drawn() const { return drawn_; }

 private:
  Annotator(Log& log, const Clock& clock, const Annotations& annotations, AnnotatorOptions options,
            StopToken stop)
      : log_(log),
        clock_(clock),
        annotations_(annotations),
        options_(std::move(options)),
        stop_(std::move(stop)) {}

  const media::Track& track() const { return tracks_[static_cast<std::size_t>(*video_)]; }
  Result<void> draw(std::vector<media::DecodedPicture>& pictures);
  Result<void> write(const media::Picture& picture, Timestamp time);
  Result<void> begin(const media::Picture& picture, Timestamp time);
  Result<void> carry_sound(std::optional<Timestamp> before);
  Result<void> finish(record::EndCause cause);

  Log& log_;
  const Clock& clock_;
  const Annotations& annotations_;
  const AnnotatorOptions options_;
  const StopToken stop_;
  std::vector<media::Track> tracks_;
  std::optional<int> video_;
  std::optional<CarriedSound> sound_;
  std::unique_ptr<media::PictureDecoder> decoder_;
  std::unique_ptr<media::MarkerPen> pen_;
  std::unique_ptr<media::PictureEncoder> encoder_;
  std::unique_ptr<splitter::PacketWriter> writer_;
  Timestamp start_{};
  std::int64_t newest_ = -1;  // tick
  std::optional<Timestamp> drawn_;
  int width_ = 0, height_ = 0;
  AnnotateReport report_;
};

}  // namespace gopline::cli
