#include <algorithm>
#include <map>

#include "aggregator/epoch_placer.h"
#include "aggregator/sink.h"
#include "common/base/rational.h"
#include "common/bytes/big_endian.h"
#include "common/media/boxes.h"
#include "common/media/muxer_output.h"
#include "common/media/segment_reader.h"

namespace gopline::aggregator {
namespace {

constexpr Rational kMicroseconds{1, 1'000'000};

// One moof (ISO/IEC 14496-12, 8.8): what passing it on needs to know.
struct Fragment {
  std::size_t offset = 0;  // of the moof in the segment
  std::size_t size = 0;    // of the moof alone
  int track_id = 0;
  std::size_t time_at = 0;  // of the tfdt's 64-bit time, from the moof's first byte; 0: it has 32 bits
  std::uint64_t time = 0;
  std::uint64_t end = 0;  // time plus the samples' durations, where the trun has them
  std::uint32_t samples = 0;
};

std::size_t position_in(std::span<const std::uint8_t> whole, std::span<const std::uint8_t> part) {
  return static_cast<std::size_t>(part.data() - whole.data());
}

// trun (8.8.8): how many samples, and their durations where they have their own.
void read_trun(const media::BoxView& trun, std::uint32_t default_duration, Fragment& fragment) {
  ByteReader in(trun.payload);
  auto flags = in.u32() & 0xFFFFFF;
  fragment.samples = in.u32();
  if (flags & 0x001) in.skip(4);
  if (flags & 0x004) in.skip(4);
  std::size_t others =
      4 * static_cast<std::size_t>(((flags & 0x200) != 0) + ((flags & 0x400) != 0) + ((flags & 0x800) != 0));
  bool own = (flags & 0x100) != 0;
  fragment.end = fragment.time + (own ? 0 : std::uint64_t{fragment.samples} * default_duration);
  for (std::uint32_t i = 0; own && i < fragment.samples && in.ok(); ++i) {
    fragment.end += in.u32();
    in.skip(others);
  }
}

Fragment read_moof(const media::BoxView& moof) {
  Fragment fragment;
  fragment.offset = moof.offset;
  fragment.size = moof.size;
  auto header = moof.size - moof.payload.size();
  auto traf = media::find_box(moof.payload, "traf");
  ByteReader tfhd(media::find_box(traf.payload, "tfhd").payload);
  auto flags = tfhd.u32();
  fragment.track_id = static_cast<int>(tfhd.u32());
  if (flags & 0x000001) tfhd.skip(8);
  if (flags & 0x000002) tfhd.skip(4);
  std::uint32_t default_duration = flags & 0x000008 ? tfhd.u32() : 0;
  auto box = media::find_box(traf.payload, "tfdt");
  ByteReader tfdt(box.payload);
  bool wide = tfdt.u32() >> 24 == 1;
  fragment.time = wide ? tfdt.u64() : tfdt.u32();
  if (wide && tfdt.ok()) fragment.time_at = header + position_in(moof.payload, box.payload) + 4;
  read_trun(media::find_box(traf.payload, "trun"), default_duration, fragment);
  return fragment;
}

Result<std::vector<Fragment>> read_moofs(const Buffer& segment) {
  std::vector<Fragment> fragments;
  media::BoxWalker walker(segment.bytes());
  media::BoxView box;
  while (walker.next(box)) {
    if (box.type == "moof") fragments.push_back(read_moof(box));
  }
  if (walker.failed())
    return fail(ErrorCode::kCorrupt, "no box at byte {} of the segment", walker.position());
  return fragments;
}

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
    ++stats_.epochs.back().segments;
    return {};
  }

  Result<void> finish() override { return target_->commit(); }

  SinkStats stats() const override {
    auto stats = stats_;
    stats.bytes = target_->bytes_written();
    return stats;
  }

 private:
  static std::int64_t timescale_of(const media::Init& init, int track_id) {
    auto track = std::ranges::find(init.tracks, track_id, &media::InitTrack::track_id);
    return track == init.tracks.end() ? 1 : track->timescale;
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

  // Copies the moofs, moved in time; samples stay where they are.
  Result<void> write_moved(const Buffer& segment, const media::Init& init,
                           const std::vector<Fragment>& fragments) {
    BufferChain out;
    std::size_t at = init.bytes.size();
    for (const auto& fragment : fragments) {
      out.append(segment.share(at, fragment.offset - at));
      auto moof = segment.share(fragment.offset, fragment.size);
      at = fragment.offset + fragment.size;
      if (fragment.time_at == 0) {
        return fail(ErrorCode::kUnsupported, "epoch {}: a fragment's time has 32 bits and cannot be moved",
                    epoch_->started.epoch);
      }
      std::vector<std::uint8_t> bytes(moof.bytes().begin(), moof.bytes().end());
      auto by = rescale(place_us_, kMicroseconds, {1, timescale_of(init, fragment.track_id)});
      auto time = fragment.time + static_cast<std::uint64_t>(by);
      for (std::size_t i = 0; i < 8; ++i)
        bytes[fragment.time_at + i] = static_cast<std::uint8_t>(time >> (56 - 8 * i));
      out.append(Buffer::take(std::move(bytes)));
    }
    out.append(segment.share(at, segment.size() - at));
    return target_->write(out);
  }

  std::unique_ptr<media::OutputTarget> target_;
  std::optional<EpochBegin> epoch_;
  EpochPlacer placer_;
  Buffer init_;
  bool placed_ = false;
  bool resuming_ = false;
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
