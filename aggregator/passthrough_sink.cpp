#include <algorithm>

#include "aggregator/epoch_placer.h"
#include "aggregator/fragments.h"
#include "aggregator/sink.h"
#include "common/base/rational.h"
#include "common/media/leading_pictures.h"
#include "common/media/muxer_output.h"
#include "common/media/segment_reader.h"

namespace gopline::aggregator {
namespace {

class PassthroughSink final : public Sink {
 public:
  explicit PassthroughSink(std::unique_ptr<media::OutputTarget> target) : target_(std::move(target)) {}

  Result<void> begin_epoch(const EpochBegin& epoch) override {
    epoch_ = epoch;
    placed_ = false;
    resuming_ = !epoch.from_its_start;
    return {};
  }

  void note_absence() override { resuming_ = true; }

  Result<void> write(const SegmentData& segment) override {
    if (!segment.headers.content_type.starts_with("video/mp4") &&
        !segment.headers.content_type.starts_with("audio/mp4")) {
      return fail(ErrorCode::kUnsupported,
                  "epoch {} is stored as {}, which cannot go into fragmented MP4; nut or matroska can",
                  segment.headers.epoch, segment.headers.content_type);
    }
    auto flat = segment.bytes.flatten();
    GOPLINE_ASSIGN(auto fragments, read_moofs(flat));
    if (resuming_ && segment.headers.sap == 0) {
      for (const auto& fragment : fragments) stats_.skipped_packets += fragment.samples;
      return {};
    }
    if (segment.headers.sap > 0) GOPLINE_TRY(begin_gop(segment, flat));
    if (leading_.may_follow()) {
      GOPLINE_ASSIGN(auto rest, media::without_leading(flat, epoch_->started.marker.tracks, leading_));
      stats_.leading_packets += rest.dropped;
      flat = std::move(rest.bytes);
      GOPLINE_ASSIGN(fragments, read_moofs(flat));
    }
    resuming_ = false;
    GOPLINE_ASSIGN(auto init, media::read_init(flat));
    if (!placed_) place(segment, init);
    if (!(init.bytes == init_)) {
      init_ = init.bytes;
      GOPLINE_TRY(target_->write(init.bytes.bytes()));
    }
    for (const auto& fragment : fragments) note(fragment, init);
    auto rest = flat.share(init.bytes.size(), flat.size() - init.bytes.size());
    GOPLINE_TRY(place_us_ == 0 ? target_->write(rest.bytes()) : write_moved(flat, init, fragments));
    if (segment.part == 0) ++stats_.epochs.back().segments;
    return {};
  }

  Result<void> finish() override { return target_->commit(); }

  SinkStats stats() const override {
    auto stats = stats_;
    stats.bytes = target_->bytes_written();
    return stats;
  }

 private:
  // Leading pictures are those of the GOP at which the output goes on, whatever parts it comes in.
  Result<void> begin_gop(const SegmentData& segment, const Buffer& bytes) {
    leading_ = {};
    if (!resuming_ || segment.headers.sap != 3) return {};
    const auto& tracks = epoch_->started.marker.tracks;
    GOPLINE_ASSIGN(auto packets, media::unpack_segment(bytes, segment.headers.content_type, tracks));
    leading_ = media::LeadingPictures::of(packets, media::main_track_of(tracks));
    return {};
  }

  void note(const Fragment& fragment, const media::Init& init) {
    stats_.packets += fragment.samples;
    auto end = rescale(static_cast<std::int64_t>(fragment.end), {1, timescale_of(init, fragment.track_id)},
                       kMicroseconds);
    end_us_ = std::max(end_us_, end + place_us_);
  }

  // The timeline of an epoch begins at its T0, which the first picture follows after ce_start.
  void place(const SegmentData& segment, const media::Init&) {
    auto lead_us = rescale(segment.headers.start.num, {1, segment.headers.start.den}, kMicroseconds);
    auto place = placer_.place(segment.headers.time, lead_us, end_us_);
    place_us_ = place.at_us;
    AggregatedEpoch entry;
    entry.epoch = epoch_->started.epoch;
    entry.place_us = place.at_us;
    entry.placed_by_clock = place.by_clock;
    if (epoch_->ended) entry.ended = epoch_->ended->cause;
    stats_.epochs.push_back(entry);
    placed_ = true;
  }

  Result<void> write_moved(const Buffer& segment, const media::Init& init,
                           const std::vector<Fragment>& fragments) {
    auto moved = moved_fragments(segment, init, fragments, [&](int track) {
      return rescale(place_us_, kMicroseconds, {1, timescale_of(init, track)});
    });
    if (!moved) return fail_with_context(fmt::format("epoch {}", epoch_->started.epoch), moved.error());
    return target_->write(*moved);
  }

  std::unique_ptr<media::OutputTarget> target_;
  std::optional<EpochBegin> epoch_;
  EpochPlacer placer_;
  Buffer init_;
  bool placed_ = false;
  bool resuming_ = false;
  media::LeadingPictures leading_;
  std::int64_t place_us_ = 0;
  std::int64_t end_us_ = 0;
  SinkStats stats_;
};

}  // namespace

Result<std::unique_ptr<Sink>> make_passthrough_sink(const SinkOptions& options) {
  GOPLINE_ASSIGN(auto target, media::OutputTarget::open(options.output));
  return std::make_unique<PassthroughSink>(std::move(target));
}

}  // namespace gopline::aggregator
