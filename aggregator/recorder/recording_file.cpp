#include "aggregator/recorder/recording_file.h"

#include <algorithm>
#include <limits>

#include "aggregator/fragments.h"
#include "common/base/logging.h"
#include "common/base/rational.h"
#include "common/bytes/digest.h"
#include "common/media/muxer.h"
#include "common/media/muxer_output.h"

namespace gopline::aggregator {
namespace {

bool has_fragments(const SegmentData& segment) {
  return segment.headers.content_type.find("/mp4") != std::string::npos;
}

// The init of a segment of fragmented MP4; of NUT, nothing.
Result<Buffer> init_of(const SegmentData& segment, const Buffer& bytes) {
  if (!has_fragments(segment)) return Buffer();
  GOPLINE_ASSIGN(auto init, media::read_init(bytes));
  return init.bytes;
}

bool has_init(const SegmentData& segment, const Buffer& expected) {
  auto init = init_of(segment, segment.bytes.flatten());
  return !init || *init == expected;  // what cannot be read is told by write()
}

// The init once, then fragments, moved so that the first of them begins at zero. In step, because one moment
// is taken off all tracks.
class FragmentFile final : public RecordingFile {
 public:
  explicit FragmentFile(std::unique_ptr<media::OutputTarget> target) : target_(std::move(target)) {}

  bool fits(const SegmentData& segment) const override {
    return has_fragments(segment) && (init_.empty() || has_init(segment, init_));
  }

  Result<void> write(const SegmentData& segment) override {
    auto bytes = segment.bytes.flatten();
    GOPLINE_ASSIGN(auto init, media::read_init(bytes));
    GOPLINE_ASSIGN(auto fragments, read_moofs(bytes));
    if (init_.empty()) {
      init_ = init.bytes;
      start_us_ = start_of(init, fragments);
      GOPLINE_TRY(target_->write(init.bytes.bytes()));
    }
    GOPLINE_ASSIGN(auto moved, moved_fragments(bytes, init, fragments, [&](int track) {
                     return -rescale_floor(start_us_, kMicroseconds, {1, timescale_of(init, track)});
                   }));
    return target_->write(moved);
  }

  Result<void> finish() override { return target_->commit(); }
  std::uint64_t bytes() const override { return target_->bytes_written(); }

 private:
  static std::int64_t start_of(const media::Init& init, const std::vector<Fragment>& fragments) {
    auto start = std::numeric_limits<std::int64_t>::max();
    for (const auto& fragment : fragments) {
      auto time = rescale_floor(static_cast<std::int64_t>(fragment.time),
                                {1, timescale_of(init, fragment.track_id)}, kMicroseconds);
      start = std::min(start, time);
    }
    return fragments.empty() ? 0 : start;
  }

  std::unique_ptr<media::OutputTarget> target_;
  Buffer init_;
  std::int64_t start_us_ = 0;
};

// Packets into a container by libavformat.
class MuxedFile final : public RecordingFile {
 public:
  MuxedFile(std::unique_ptr<media::Muxer> muxer, std::vector<media::Track> tracks, Buffer init)
      : muxer_(std::move(muxer)), tracks_(std::move(tracks)), init_(std::move(init)) {}

  bool fits(const SegmentData& segment) const override {
    return has_fragments(segment) == !init_.empty() && (init_.empty() || has_init(segment, init_));
  }

  Result<void> write(const SegmentData& segment) override {
    GOPLINE_ASSIGN(auto packets,
                   media::unpack_segment(segment.bytes.flatten(), segment.headers.content_type, tracks_));
    for (const auto& packet : packets) GOPLINE_TRY(muxer_->write(packet));
    return {};
  }

  Result<void> finish() override { return muxer_->finish(); }
  std::uint64_t bytes() const override { return muxer_->bytes_written(); }

 private:
  std::unique_ptr<media::Muxer> muxer_;
  std::vector<media::Track> tracks_;
  Buffer init_;
};

Result<OpenedRecordingFile> open_fragments(const std::string& stem) {
  auto path = stem + ".mp4";
  GOPLINE_ASSIGN(auto target, media::OutputTarget::open(path, media::OutputTarget::Care::kDurable));
  return OpenedRecordingFile{std::make_unique<FragmentFile>(std::move(target)), path, "mp4"};
}

// A part of an epoch begins at zero, as the whole would.
std::optional<std::int64_t> start_us(const std::vector<media::Packet>& packets,
                                     const std::vector<media::Track>& tracks) {
  std::optional<std::int64_t> start;
  for (const auto& packet : packets) {
    auto ticks = packet.pts ? packet.pts : packet.dts;
    if (!ticks) continue;
    auto time = rescale(*ticks, tracks[static_cast<std::size_t>(packet.track)].time_base, kMicroseconds);
    start = std::min(start.value_or(time), time);
  }
  return start;
}

Result<OpenedRecordingFile> open_muxed(const std::string& stem, const record::StartedEpoch& started,
                                       const SegmentData& first) {
  auto bytes = first.bytes.flatten();
  GOPLINE_ASSIGN(auto init, init_of(first, bytes));
  if (!init.empty() && xxh3_hex(init.bytes()) != started.marker.init_xxh3 &&
      !started.marker.init_xxh3.empty())
    return fail(ErrorCode::kUnsupported, "the codec parameters are others than at the epoch's beginning");
  auto tracks = started.marker.tracks;
  auto source = started.marker.source;
  GOPLINE_ASSIGN(auto packets, media::unpack_segment(bytes, first.headers.content_type, tracks));
  source.start_time_us = start_us(packets, tracks).value_or(0);
  for (auto& track : tracks) {
    track.start_time.reset();
    track.duration.reset();
  }
  media::MuxerOptions options;
  options.target = stem + ".mkv";
  options.format = "matroska";
  options.durable = true;
  GOPLINE_ASSIGN(auto muxer, media::Muxer::open(options, source, tracks));
  return OpenedRecordingFile{
      std::make_unique<MuxedFile>(std::move(muxer), started.marker.tracks, std::move(init)), options.target,
      "matroska"};
}

}  // namespace

Result<OpenedRecordingFile> open_recording_file(const std::string& stem, const std::string& container,
                                                const record::StartedEpoch* started,
                                                const SegmentData& first) {
  const auto& stream = first.headers.stream;
  bool passes = has_fragments(first);
  if (container == "mp4" && passes) return open_fragments(stem);
  if (!started) {
    if (!passes)
      return fail(ErrorCode::kUnsupported,
                  "the epoch's opening record is not kept, so nobody knows its tracks");
    log_warning(stream,
                "recorded as mp4: the opening record of epoch {} is not kept, so nobody knows its tracks",
                first.headers.epoch);
    return open_fragments(stem);
  }
  if (container == "mp4") {
    log_warning(stream, "recorded as mkv: epoch {} has a codec that no MP4 takes", first.headers.epoch);
  }
  auto muxed = open_muxed(stem, *started, first);
  bool unsupported = !muxed && muxed.error().code == ErrorCode::kUnsupported;
  if (!unsupported || !passes) return muxed;
  log_warning(stream, "recorded as mp4, from epoch {}, segment {} on: {}", first.headers.epoch,
              first.headers.segment, muxed.error().message);
  return open_fragments(stem);
}

}  // namespace gopline::aggregator
