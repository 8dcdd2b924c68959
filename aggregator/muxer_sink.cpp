#include <algorithm>
#include <limits>

#include "aggregator/epoch_placer.h"
#include "aggregator/outputs/live_muxer.h"
#include "aggregator/outputs/live_output.h"
#include "aggregator/sink.h"
#include "aggregator/track_difference.h"
#include "common/base/logging.h"
#include "common/media/leading_pictures.h"
#include "common/media/muxer.h"
#include "common/media/segment_reader.h"

namespace gopline::aggregator {
namespace {

using media::Packet;
using media::Track;

class MuxerSink final : public Sink {
 public:
  explicit MuxerSink(SinkOptions options) : options_(std::move(options)) {}

  Result<void> begin_epoch(const EpochBegin& epoch) override {
    if (muxer_ && !options_.receiver) {  // a receiver is told of other tracks
      if (auto other = track_difference(first_tracks_, epoch.started.marker.tracks); !other.empty()) {
        return fail(ErrorCode::kUnsupported,
                    "epoch {} does not fit behind epoch {} in one {}: {}; write it to a file of its own "
                    "(--epoch {}), or write "
                    "fragmented MP4 (--format fmp4)",
                    epoch.started.epoch, stats_.epochs.front().epoch, options_.format, other,
                    epoch.started.epoch);
      }
    }
    epoch_ = epoch;
    placed_ = false;
    resuming_ = !epoch.from_its_start;
    leading_ = {};
    return {};
  }

  void note_absence() override { resuming_ = true; }

  Result<void> write(const SegmentData& segment) override {
    const auto& tracks = epoch_->started.marker.tracks;
    GOPLINE_ASSIGN(auto packets,
                   media::unpack_segment(segment.bytes.flatten(), segment.headers.content_type, tracks));
    if (resuming_ && segment.headers.sap == 0) {
      stats_.skipped_packets += packets.size();
      return {};
    }
    main_ = media::main_track_of(tracks);
    if (resuming_) resume(packets, segment.headers.sap);
    if (!placed_) {
      GOPLINE_TRY(place(segment, packets));
    } else if (resumed_) {
      muxer_->expect_hole();
    }
    resumed_ = false;
    for (const auto& packet : packets) {
      if (leading_.contain(packet)) {
        ++stats_.leading_packets;
        continue;
      }
      if (is_beyond(packet, segment, packets)) continue;
      GOPLINE_TRY(muxer_->write(packet));
      ++stats_.packets;
    }
    if (segment.part == 0) ++stats_.epochs.back().segments;
    if (options_.live) return muxer_->flush();
    return {};
  }

  Result<void> finish() override {
    if (!muxer_) return {};
    return muxer_->finish();
  }

  SinkStats stats() const override {
    auto stats = stats_;
    if (muxer_) stats.bytes = muxer_->bytes_written();
    return stats;
  }

 private:
  void resume(const std::vector<Packet>& packets, int sap) {
    resuming_ = false;
    resumed_ = true;
    leading_ = sap == 3 ? media::LeadingPictures::of(packets, main_) : media::LeadingPictures();
  }

  std::int64_t in_us(std::int64_t ticks, int track) const {
    const auto& base = epoch_->started.marker.tracks[static_cast<std::size_t>(track)].time_base;
    return rescale(ticks, base, kMicroseconds);
  }
  std::int64_t in_us(const Packet& packet) const {
    auto ticks = packet.pts ? packet.pts : packet.dts;
    return in_us(ticks.value_or(0), packet.track);
  }

  // The output begins before what is to be shown of it.
  bool hides(const SegmentData& segment) const {
    return !muxer_ && options_.shown_from && *options_.shown_from > segment.headers.time;
  }

  // By when it is decoded, so that nothing is missing that is shown before that.
  bool is_beyond(const Packet& packet, const SegmentData& segment, const std::vector<Packet>& packets) const {
    if (!options_.shown_to || !(packet.dts || packet.pts)) return false;
    auto picture = std::ranges::find(packets, main_, &Packet::track);
    if (picture == packets.end()) return false;
    auto decoded_us = in_us(packet.dts ? *packet.dts : *packet.pts, packet.track);
    return segment.headers.time + Duration(decoded_us - in_us(*picture)) >= *options_.shown_to;
  }

  // A part of an epoch begins at zero as if it were the whole.
  void begin_source_here(const std::vector<Packet>& packets, media::SourceInfo& source,
                         std::vector<Track>& tracks) const {
    auto first = std::numeric_limits<std::int64_t>::max();
    auto leading = leading_;
    for (const auto& packet : packets) {
      if (!leading.contain(packet) && (packet.pts || packet.dts)) first = std::min(first, in_us(packet));
    }
    source.start_time_us = first == std::numeric_limits<std::int64_t>::max() ? 0 : first;
    for (auto& track : tracks) {
      track.start_time.reset();
      track.duration.reset();
    }
  }

  Result<void> place(const SegmentData& segment, const std::vector<Packet>& packets) {
    auto source = epoch_->started.marker.source;
    auto tracks = epoch_->started.marker.tracks;
    auto picture = std::ranges::find(packets, main_, &Packet::track);
    if (resumed_ || hides(segment)) begin_source_here(packets, source, tracks);
    if (hides(segment) && picture != packets.end())
      source.start_time_us = in_us(*picture) + (*options_.shown_from - segment.headers.time).count();
    auto lead_us = picture == packets.end() ? 0 : in_us(*picture) - source.start_time_us.value_or(0);
    auto place = placer_.place(segment.headers.time, lead_us, muxer_ ? muxer_->end_us() : 0);
    if (options_.receiver) {
      auto zero = segment.headers.time - Duration(lead_us + place.at_us);
      GOPLINE_TRY(options_.receiver->begin_run({tracks, zero}));
    }
    if (!muxer_) {
      GOPLINE_ASSIGN(muxer_, open_muxer(source, tracks));
      first_tracks_ = tracks;
    } else {
      muxer_->begin_run(source, tracks, place.at_us);
    }
    AggregatedEpoch entry;
    entry.epoch = epoch_->started.epoch;
    entry.place_us = place.at_us;
    entry.placed_by_clock = place.by_clock;
    if (epoch_->ended) entry.ended = epoch_->ended->cause;
    stats_.epochs.push_back(entry);
    placed_ = true;
    return {};
  }

  Result<std::unique_ptr<media::Muxer>> open_muxer(const media::SourceInfo& source,
                                                   const std::vector<Track>& tracks) const {
    if (options_.receiver) return make_live_muxer(*options_.receiver, source, tracks);
    media::MuxerOptions options;
    options.target = options_.output;
    options.format = options_.format;
    options.options = options_.muxer_options;
    options.write = options_.write;
    return media::Muxer::open(options, source, tracks);
  }

  SinkOptions options_;
  std::unique_ptr<media::Muxer> muxer_;
  std::vector<Track> first_tracks_;
  std::optional<EpochBegin> epoch_;
  EpochPlacer placer_;
  int main_ = 0;
  bool placed_ = false;    // the epoch in hand has its place in the output
  bool resuming_ = false;  // wait for an access point
  bool resumed_ = false;   // this segment is the first after that
  media::LeadingPictures leading_;
  SinkStats stats_;
};

}  // namespace

std::unique_ptr<Sink> make_muxer_sink(SinkOptions options) {
  return std::make_unique<MuxerSink>(std::move(options));
}

}  // namespace gopline::aggregator
