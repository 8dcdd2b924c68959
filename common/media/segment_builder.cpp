#include "common/media/segment_builder.h"

#include <algorithm>

#include "common/base/bus_errors.h"
#include "common/bytes/digest.h"
#include "common/media/access_point.h"
#include "common/media/fragment_writer.h"
#include "common/media/init_writer.h"
#include "common/media/nut_segment.h"
#include "common/media/sample_entry.h"
#include "common/media/segment_reader.h"

namespace gopline::media {
namespace {

BuiltSegment described(const Segment& segment) {
  BuiltSegment built;
  built.part = segment.part;
  built.last_part = segment.last_part;
  built.sap = segment.sap;
  built.discontinuity = segment.discontinuity;
  built.start = segment.start;
  built.duration = segment.duration;
  built.timescale = segment.timescale;
  built.first_pts = segment.first_pts;
  for (const auto& run : segment.runs) built.packets += run.packets.size();
  return built;
}

const Packet* first_packet_of(const Segment& segment, int track) {
  for (const auto& run : segment.runs) {
    if (run.track == track && !run.packets.empty()) return &run.packets.front().packet;
  }
  return nullptr;
}

class Mp4Builder final : public SegmentBuilder {
 public:
  explicit Mp4Builder(std::vector<Track> tracks) : tracks_(std::move(tracks)) {}

  Result<void> make_init(const Segment& segment) {
    std::vector<InitHints> hints(tracks_.size());
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      const auto* packet = first_packet_of(segment, static_cast<int>(i));
      if (!packet) continue;
      hints[i].first_packet = *packet;
      hints[i].in_band_parameter_sets = !parameter_sets_in(tracks_[i], *packet).empty();
    }
    GOPLINE_ASSIGN(init_, write_init(tracks_, hints));
    init_xxh3_ = xxh3_hex(init_.bytes());
    GOPLINE_ASSIGN(auto init, read_init(init_));
    content_type_ = content_type_of(init);
    return {};
  }

  Result<BuiltSegment> build(const Segment& segment) override {
    auto built = described(segment);
    if (!segment.new_tracks.empty()) {
      tracks_ = segment.new_tracks;
      auto before = init_xxh3_;
      GOPLINE_TRY(make_init(segment));
      built.discontinuity |= before != init_xxh3_;
    }
    built.content_type = content_type_;
    built.init_xxh3 = init_xxh3_;
    if (segment.part == 0) {
      built.init_size = init_.size();
      built.bytes.append(init_);
    }
    MappedReads reads;
    for (const auto& run : segment.runs) GOPLINE_TRY(add_part(run, built));
    GOPLINE_TRY(reads.were_whole());
    return built;
  }

  std::string init_xxh3() const override { return init_xxh3_; }
  bool is_nut() const override { return false; }

 private:
  Result<void> add_part(const Run& run, BuiltSegment& built) {
    const auto& track = tracks_[static_cast<std::size_t>(run.track)];
    PartInfo part;
    part.track_id = track.id;
    part.offset = built.bytes.size();
    for (const auto& timed : run.packets) part.duration += timed.duration;
    part.sap = sap_type(track, run.packets.front().packet);
    GOPLINE_ASSIGN(auto fragment, write_fragment(run, track, ++sequence_));
    part.size = fragment.size();
    built.bytes.append(fragment);
    built.parts.push_back(part);
    return {};
  }

  std::string content_type_of(const Init& init) const {
    std::string codecs;
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      auto codec = rfc6381_codec(tracks_[i], i < init.tracks.size() ? init.tracks[i].sample_entry : "");
      if (!codec.empty()) codecs += (codecs.empty() ? "" : ", ") + codec;
    }
    bool has_video =
        std::ranges::any_of(tracks_, [](const auto& track) { return track.codec.type == MediaType::kVideo; });
    return fmt::format("{}/mp4; codecs=\"{}\"", has_video ? "video" : "audio", codecs);
  }

  std::vector<Track> tracks_;
  Buffer init_;
  std::string init_xxh3_;
  std::string content_type_;
  std::uint32_t sequence_ = 0;
};

class NutBuilder final : public SegmentBuilder {
 public:
  explicit NutBuilder(std::vector<Track> tracks) : tracks_(std::move(tracks)) {}

  Result<BuiltSegment> build(const Segment& segment) override {
    if (segment.part > 0 || !segment.last_part)
      return fail(ErrorCode::kUnsupported, "a NUT segment has no parts that could leave before it is whole");
    auto built = described(segment);
    if (!segment.new_tracks.empty()) {
      tracks_ = segment.new_tracks;
      built.discontinuity = true;
    }
    MappedReads reads;
    GOPLINE_ASSIGN(built.bytes, write_nut_segment(segment, tracks_));
    GOPLINE_TRY(reads.were_whole());
    built.content_type = "video/x-nut";
    return built;
  }

  std::string init_xxh3() const override { return {}; }
  bool is_nut() const override { return true; }

 private:
  std::vector<Track> tracks_;
};

}  // namespace

bool SegmentBuilder::has_parts(const std::vector<Track>& tracks) {
  return fits_mp4(tracks);
}

Result<std::unique_ptr<SegmentBuilder>> SegmentBuilder::create(const std::vector<Track>& tracks,
                                                               const Segment& first) {
  if (!fits_mp4(tracks)) return std::make_unique<NutBuilder>(tracks);
  auto builder = std::make_unique<Mp4Builder>(tracks);
  GOPLINE_TRY(builder->make_init(first));
  return builder;
}

}  // namespace gopline::media
