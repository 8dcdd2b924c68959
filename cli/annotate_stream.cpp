#include "cli/annotate_stream.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "aggregator/stream_reader.h"
#include "common/base/logging.h"
#include "common/media/frames/marker_pen.h"
#include "common/media/frames/picture_decoder.h"
#include "common/media/frames/picture_encoder.h"
#include "common/media/segment_reader.h"
#include "splitter/packet_writer.h"

namespace gopline::cli {
namespace {

// Pictures have their times in milliseconds.
constexpr std::int64_t kTicks = 1000;

class Annotating {
 public:
  Annotating(Log& log, const Clock& clock, const Annotations& annotations, const AnnotateOptions& options,
             StopToken stop)
      : log_(log), clock_(clock), annotations_(annotations), options_(options), stop_(std::move(stop)) {}

  Result<AnnotateReport> run() {
    GOPLINE_ASSIGN(pen_, media::MarkerPen::open());
    GOPLINE_ASSIGN(auto reader,
                   aggregator::StreamReader::open(log_, options_.selection, stop_, options_.blobs));
    for (;;) {
      auto item = reader->next();
      if (!item) {
        (void)end(record::EndCause::kStopped);  // what is drawn is whole
        return tl::unexpected<Error>(std::move(item.error()));
      }
      if (!*item) break;
      GOPLINE_TRY(std::visit([&](const auto& one) { return take(one); }, **item));
    }
    GOPLINE_TRY(end(record::EndCause::kEndOfInput));
    return report_;
  }

 private:
  Result<void> take(const aggregator::EpochBegin& begin) {
    GOPLINE_TRY(end(record::EndCause::kEndOfInput));
    tracks_ = begin.started.marker.tracks;
    auto main = static_cast<std::size_t>(media::main_track_of(tracks_));
    video_ = main < tracks_.size() && tracks_[main].codec.type == media::MediaType::kVideo
                 ? std::optional(static_cast<int>(main))
                 : std::nullopt;
    if (!video_) log_warning(options_.selection.stream, "epoch {}: has no pictures", begin.started.epoch);
    return {};
  }

  Result<void> take(const aggregator::SegmentData& segment) {
    if (!video_) return {};
    if (!decoder_) {
      if (segment.headers.sap == 0) return {};  // nothing leads up to it
      GOPLINE_ASSIGN(decoder_, media::PictureDecoder::open(track()));
    }
    GOPLINE_ASSIGN(auto packets,
                   media::unpack_segment(segment.bytes.flatten(), segment.headers.content_type, tracks_));
    auto first = std::ranges::find(packets, *video_, &media::Packet::track);
    if (first == packets.end()) return {};
    auto ticks = (first->pts ? first->pts : first->dts).value_or(0);
    auto zero = media::zero_of(segment.headers.time, ticks, track().time_base);
    std::vector<media::DecodedPicture> pictures;
    for (const auto& packet : packets) {
      if (packet.track != *video_) continue;
      if (!decoder_->decode(packet, zero, pictures)) ++report_.undecodable;
      GOPLINE_TRY(draw(pictures));
    }
    return {};
  }

  Result<void> take(const aggregator::Absence& absence) {
    ++report_.gaps;
    log_warning(options_.selection.stream, "epoch {}: {}", absence.epoch, absence.reason);
    return end(record::EndCause::kSourceLost);
  }

  const media::Track& track() const { return tracks_[static_cast<std::size_t>(*video_)]; }

  Result<void> draw(std::vector<media::DecodedPicture>& pictures) {
    for (const auto& one : pictures) {
      auto marks = annotations_.at(one.time);
      GOPLINE_ASSIGN(auto drawn, pen_->draw(one.picture, marks));
      GOPLINE_TRY(write(drawn, one.time));
      ++report_.pictures;
      if (!marks.empty()) ++report_.marked;
    }
    pictures.clear();
    return {};
  }

  Result<void> write(const media::Picture& picture, Timestamp time) {
    bool is_other = encoder_ && (picture.width() != width_ || picture.height() != height_);
    if (is_other) GOPLINE_TRY(finish(record::EndCause::kEndOfInput));
    if (!encoder_) GOPLINE_TRY(begin(picture, time));
    // The clock may have been put right: pictures go on.
    newest_ =
        std::max(newest_ + 1, std::chrono::duration_cast<std::chrono::milliseconds>(time - start_).count());
    std::vector<media::Packet> packets;
    GOPLINE_TRY(encoder_->encode(picture, newest_, packets));
    return hand_on(packets);
  }

  Result<void> begin(const media::Picture& picture, Timestamp time) {
    width_ = picture.width();
    height_ = picture.height();
    start_ = time;
    newest_ = -1;
    media::PictureEncoderOptions encoding;
    encoding.width = width_;
    encoding.height = height_;
    encoding.frame_rate = {kTicks, 1};
    encoding.pictures_in_gop = kPicturesInGop;
    encoding.container = "fmp4";
    encoding.low_delay = true;
    GOPLINE_ASSIGN(encoder_, media::PictureEncoder::open(encoding));
    splitter::PacketWriterOptions writing;
    writing.topic_namespace = options_.selection.topic_namespace;
    writing.stream = options_.target;
    writing.source = "gopline annotate " + options_.selection.stream;
    writing.tracks = {encoder_->track()};
    writing.start = time;
    writing.stop = stop_;
    writer_ = std::make_unique<splitter::PacketWriter>(log_, clock_, std::move(writing));
    ++report_.epochs;
    return {};
  }

  Result<void> hand_on(std::vector<media::Packet>& packets) {
    for (auto& packet : packets) GOPLINE_TRY(writer_->write(std::move(packet)));
    return {};
  }

  // What the decoder holds back is drawn, too.
  Result<void> end(record::EndCause cause) {
    if (decoder_) {
      std::vector<media::DecodedPicture> pictures;
      decoder_->drain(pictures);
      GOPLINE_TRY(draw(pictures));
      decoder_.reset();
    }
    return finish(cause);
  }

  Result<void> finish(record::EndCause cause) {
    if (!encoder_) return {};
    std::vector<media::Packet> packets;
    GOPLINE_TRY(encoder_->finish(packets));
    GOPLINE_TRY(hand_on(packets));
    GOPLINE_ASSIGN(auto summary, writer_->close(cause));
    report_.segments += summary.segments;
    encoder_.reset();
    writer_.reset();
    return {};
  }

  static constexpr int kPicturesInGop = 50;

  Log& log_;
  const Clock& clock_;
  const Annotations& annotations_;
  const AnnotateOptions& options_;
  const StopToken stop_;
  std::vector<media::Track> tracks_;
  std::optional<int> video_;
  std::unique_ptr<media::PictureDecoder> decoder_;
  std::unique_ptr<media::MarkerPen> pen_;
  std::unique_ptr<media::PictureEncoder> encoder_;
  std::unique_ptr<splitter::PacketWriter> writer_;
  Timestamp start_{};
  std::int64_t newest_ = -1;  // tick
  int width_ = 0, height_ = 0;
  AnnotateReport report_;
};

}  // namespace

Result<AnnotateReport> annotate_stream(Log& log, const Clock& clock, const Annotations& annotations,
                                       const AnnotateOptions& options, const StopToken& stop) {
  return Annotating(log, clock, annotations, options, stop).run();
}

}  // namespace gopline::cli
