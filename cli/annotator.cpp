#include "cli/annotator.h"

#include <algorithm>
#include <utility>

#include "common/base/logging.h"
#include "common/media/segment_reader.h"

namespace gopline::cli {
namespace {

// Pictures have their times in milliseconds.
constexpr std::int64_t kTicks = 1000;
// Of the pictures that are made; as many as are there in two seconds.
int pictures_in_gop(const media::Track& track) {
  constexpr int kUnknown = 50, kLeast = 1, kMost = 250;
  auto rate = track.avg_frame_rate;
  if (rate.num <= 0 || rate.den <= 0) return kUnknown;
  return std::clamp(static_cast<int>(2 * rate.to_double() + 0.5), kLeast, kMost);
}

// Sound waits for pictures, unless there are none.
constexpr std::size_t kMostWaitingSound = 4 << 20;
constexpr int kSoundFrom = 1;  // among the tracks of what is made

}  // namespace

Result<std::unique_ptr<Annotator>> Annotator::open(Log& log, const Clock& clock,
                                                   const Annotations& annotations, AnnotatorOptions options,
                                                   StopToken stop) {
  std::unique_ptr<Annotator> annotator(
      new Annotator(log, clock, annotations, std::move(options), std::move(stop)));
  GOPLINE_ASSIGN(annotator->pen_, media::MarkerPen::open());
  return annotator;
}

Result<void> Annotator::take(const aggregator::EpochBegin& begin) {
  GOPLINE_TRY(end(record::EndCause::kEndOfInput));
  tracks_ = begin.started.marker.tracks;
  auto main = static_cast<std::size_t>(media::main_track_of(tracks_));
  video_ = main < tracks_.size() && tracks_[main].codec.type == media::MediaType::kVideo
               ? std::optional(static_cast<int>(main))
               : std::nullopt;
  sound_.emplace(tracks_, kSoundFrom);
  if (!video_) log_warning(options_.stream, "epoch {}: has no pictures", begin.started.epoch);
  return {};
}

Result<void> Annotator::take(const aggregator::SegmentData& segment) {
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
  // Pictures come out of the decoder late, sound is there at once.
  for (const auto& packet : packets) sound_->push(packet, zero);
  std::vector<media::DecodedPicture> pictures;
  for (const auto& packet : packets) {
    if (packet.track != *video_) continue;
    if (!decoder_->decode(packet, zero, pictures)) ++report_.undecodable;
    GOPLINE_TRY(draw(pictures));
  }
  if (sound_->waiting_bytes() > kMostWaitingSound) GOPLINE_TRY(carry_sound(std::nullopt));
  return {};
}

Result<void> Annotator::take(const aggregator::Absence& absence) {
  ++report_.gaps;
  log_warning(options_.stream, "epoch {}: {}", absence.epoch, absence.reason);
  return end(record::EndCause::kSourceLost);
}

Result<void> Annotator::draw(std::vector<media::DecodedPicture>& pictures) {
  for (const auto& one : pictures) {
    auto marks = annotations_.at(one.time);
    GOPLINE_ASSIGN(auto drawn, pen_->draw(one.picture, marks));
    GOPLINE_TRY(write(drawn, one.time));
    drawn_ = one.time;
    ++report_.pictures;
    if (!marks.empty()) ++report_.marked;
  }
  pictures.clear();
  return {};
}

Result<void> Annotator::write(const media::Picture& picture, Timestamp time) {
  GOPLINE_TRY(carry_sound(time));
  bool is_other = encoder_ && (picture.width() != width_ || picture.height() != height_);
  if (is_other) GOPLINE_TRY(finish(record::EndCause::kEndOfInput));
  if (!encoder_) GOPLINE_TRY(begin(picture, time));
  // The clock may have been put right: pictures go on.
  newest_ =
      std::max(newest_ + 1, std::chrono::duration_cast<std::chrono::milliseconds>(time - start_).count());
  std::vector<media::Packet> packets;
  GOPLINE_TRY(encoder_->encode(picture, newest_, packets));
  for (auto& packet : packets) GOPLINE_TRY(writer_->write(std::move(packet)));
  return {};
}

Result<void> Annotator::begin(const media::Picture& picture, Timestamp time) {
  width_ = picture.width();
  height_ = picture.height();
  start_ = time;
  newest_ = -1;
  media::PictureEncoderOptions encoding;
  encoding.width = width_;
  encoding.height = height_;
  encoding.frame_rate = {kTicks, 1};
  encoding.pictures_in_gop = pictures_in_gop(track());
  encoding.container = "fmp4";
  encoding.low_delay = true;
  GOPLINE_ASSIGN(encoder_, media::PictureEncoder::open(encoding));
  splitter::PacketWriterOptions writing;
  writing.topic_namespace = options_.topic_namespace;
  writing.stream = options_.target;
  writing.source = "gopline annotate " + options_.stream;
  writing.tracks = {encoder_->track()};
  std::ranges::copy(sound_->tracks(), std::back_inserter(writing.tracks));
  writing.start = time;
  writing.stop = stop_;
  writer_ = std::make_unique<splitter::PacketWriter>(log_, clock_, std::move(writing));
  sound_->begin(time);
  ++report_.epochs;
  return {};
}

// Before the first picture there is nowhere to: then what waits is left out with it.
Result<void> Annotator::carry_sound(std::optional<Timestamp> before) {
  if (!sound_) return {};
  if (!writer_) {
    if (!before) sound_->take(std::nullopt);
    return {};
  }
  for (auto& packet : sound_->take(before)) {
    GOPLINE_TRY(writer_->write(std::move(packet)));
    ++report_.sound_packets;
  }
  return {};
}

Result<void> Annotator::end(record::EndCause cause) {
  if (decoder_) {
    std::vector<media::DecodedPicture> pictures;
    decoder_->drain(pictures);
    GOPLINE_TRY(draw(pictures));
    decoder_.reset();
  }
  GOPLINE_TRY(carry_sound(std::nullopt));
  return finish(cause);
}

Result<void> Annotator::finish(record::EndCause cause) {
  if (!encoder_) return {};
  std::vector<media::Packet> packets;
  GOPLINE_TRY(encoder_->finish(packets));
  for (auto& packet : packets) GOPLINE_TRY(writer_->write(std::move(packet)));
  GOPLINE_ASSIGN(auto summary, writer_->close(cause));
  report_.segments += summary.segments;
  encoder_.reset();
  writer_.reset();
  return {};
}

}  // namespace gopline::cli
