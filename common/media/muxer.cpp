#include "common/media/muxer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/logging.h"
#include "common/media/annexb.h"
#include "common/media/av.h"
#include "common/media/av_convert.h"
#include "common/media/av_io.h"
#include "common/media/output_context.h"
#include "common/media/remux_settings.h"
#include "common/media/side_data_ids.h"

namespace gopline::media {
namespace {

constexpr std::size_t kSharedPayloadBytes = 4096;  // smaller payloads are cheaper copied than shared
constexpr const char* kFragmentFlags = "frag_keyframe+delay_moov+default_base_moof";

struct FormatName {
  std::string_view ours, libavformat;
};
constexpr std::array kNames{FormatName{"mkv", "matroska"}, FormatName{"ts", "mpegts"},
                            FormatName{"m4a", "ipod"}, FormatName{"aac", "adts"}};

RemuxSettings settings_for(const SourceInfo& source, const AVOutputFormat& format) {
  auto settings = remux_settings(source);
  settings.strict_dts = (format.flags & AVFMT_TS_NONSTRICT) == 0;
  settings.has_timestamps = (format.flags & AVFMT_NOTIMESTAMPS) == 0;
  return settings;
}

class AvMuxer final : public Muxer {
 public:
  AvMuxer(AvOutputPtr context, std::unique_ptr<AvIo> io, const SourceInfo& source,
          const std::vector<Track>& tracks)
      : io_(std::move(io)), context_(std::move(context)), tracks_(tracks) {
    take_tracks();
    seen_.resize(tracks_.size(), false);
    times_ = std::make_unique<RemuxTimestamps>(settings_for(source, *context_->oformat), remux_tracks());
  }

  Result<void> write(const Packet& packet) override {
    if (packet.track < 0 || static_cast<std::size_t>(packet.track) >= tracks_.size()) {
      return fail(ErrorCode::kInvalidArgument, "{}: a packet of track {}, which there is not",
                  io_->target().name(), packet.track + 1);
    }
    auto index = static_cast<std::size_t>(packet.track);
    bool plain = seen_[index] || kDialect != RemuxDialect::kFfmpeg5 || tracks_[index].side_data.empty();
    GOPLINE_ASSIGN(auto out, restored(plain ? packet : with_track_side_data(packet), index));
    seen_[index] = true;
    auto* codec = context_->streams[index]->codecpar;
    int samples =
        codec->codec_type == AVMEDIA_TYPE_AUDIO ? av_get_audio_frame_duration2(codec, out->size) : 0;
    auto times = times_->next(packet, samples);
    if (!times) return {};
    out->pts = to_av_time(times->pts);
    out->dts = to_av_time(times->dts);
    out->duration = times->duration;
    out->stream_index = packet.track;
    out->pos = -1;
    if (kDialect == RemuxDialect::kFfmpeg7) out->flags &= ~AV_PKT_FLAG_TRUSTED;
    note_end(*out);
    int code = av_interleaved_write_frame(context_.get(), out.get());
    GOPLINE_TRY(io_->check());
    if (code < 0)
      return fail_av(code, fmt::format("{}: {} refused", io_->target().name(), describe(tracks_[index])));
    return {};
  }

  void begin_run(const SourceInfo& source, const std::vector<Track>& tracks, std::int64_t place_us) override {
    tracks_ = tracks;
    take_tracks();
    times_->begin_run(settings_for(source, *context_->oformat), remux_tracks(), place_us);
  }
  void expect_hole() override { times_->expect_hole(); }
  std::int64_t end_us() const override { return end_us_; }

  Result<void> flush() override {
    avio_flush(context_->pb);
    return io_->check();
  }

  Result<void> finish() override {
    int code = av_write_trailer(context_.get());
    GOPLINE_TRY(io_->check());
    if (code < 0) return fail_av(code, io_->target().name() + ": cannot be completed");
    return io_->commit();
  }

  std::uint64_t bytes_written() const override { return io_->bytes_written(); }

 private:
  void take_tracks() {
    restore_.clear();
    shareable_.clear();
    for (const auto& track : tracks_) {
      restore_.push_back(restore_of(track, context_->oformat->name));
      shareable_.push_back(is_shareable(track));
    }
  }

  std::vector<RemuxTrack> remux_tracks() const {
    std::vector<RemuxTrack> timed;
    for (std::size_t i = 0; i < tracks_.size(); ++i)
      timed.push_back(remux_track(tracks_[i], from_av(context_->streams[i]->time_base)));
    return timed;
  }

  bool is_shareable(const Track& track) const {
    return track.source_form == SourceForm::kMp4 &&
           (track.codec.codec == "h264" || track.codec.codec == "hevc") &&
           !is_annexb_extradata(track.codec.extradata.bytes()) && writes_unparsed(context_->oformat->name);
  }

  // The packet in its source's form, as libav's.
  Result<AvPacketPtr> restored(const Packet& packet, std::size_t index) const {
    bool shared = shareable_[index] && packet.data.size() >= kSharedPayloadBytes;
    return restored_packet(packet, tracks_[index], restore_[index], !shared);
  }

  // ffmpeg 5.x hands a track's own side data over with its first packet too, but for the display matrix.
  Packet with_track_side_data(Packet packet) const {
    for (const auto& more : tracks_[static_cast<std::size_t>(packet.track)].side_data) {
      bool there = std::ranges::find(packet.side_data, more.id, &SideData::id) != packet.side_data.end();
      if (more.id != side_data_ids::kDisplayMatrix && !there) packet.side_data.push_back(more);
    }
    return packet;
  }

  void note_end(const AVPacket& packet) {
    auto begin = packet.dts != AV_NOPTS_VALUE ? packet.dts : packet.pts;
    if (begin == AV_NOPTS_VALUE) return;
    auto base = context_->streams[packet.stream_index]->time_base;
    end_us_ = std::max(end_us_, av_rescale_q(begin + packet.duration, base, AVRational{1, AV_TIME_BASE}));
  }

  std::unique_ptr<AvIo> io_;
  AvOutputPtr context_;  // goes before io_
  std::vector<Track> tracks_;
  std::vector<Restore> restore_;
  std::vector<bool> shareable_;
  std::vector<bool> seen_;
  std::unique_ptr<RemuxTimestamps> times_;
  std::int64_t end_us_ = 0;
};

Result<void> check_openable(const AVOutputFormat& format, const std::string& target) {
  if ((format.flags & (AVFMT_NOFILE | AVFMT_NEEDNUMBER)) != 0) {
    return fail(ErrorCode::kUnsupported,
                "{}: {} writes several files; choose a container of one file, such as mp4 or matroska",
                target, format.name);
  }
  return {};
}

}  // namespace

Result<std::string> container_format(const std::string& format, const std::string& target) {
  if (format == "fmp4") return format;
  std::string name = format;
  for (auto row : kNames) {
    if (name == row.ours) name = row.libavformat;
  }
  const auto* found = name.empty() ? av_guess_format(nullptr, target.c_str(), nullptr)
                                   : av_guess_format(name.c_str(), nullptr, nullptr);
  if (found) return std::string(found->name);
  constexpr std::string_view kSome =
      "mp4, fmp4, mov, mkv, webm, ts, nut, avi, flv, and whatever `ffmpeg -muxers` lists";
  if (!name.empty())
    return fail(ErrorCode::kUnsupported, "there is no container '{}'; there are {}", name, kSome);
  return fail(ErrorCode::kUnsupported,
              "{}: the name does not say which container is meant; give --format: {}", target, kSome);
}

Result<std::unique_ptr<Muxer>> Muxer::open(const MuxerOptions& options, const SourceInfo& source,
                                           const std::vector<Track>& tracks) {
  GOPLINE_ASSIGN(auto name, container_format(options.format, options.target));
  bool fragmented = name == "fmp4";
  if (fragmented) name = "mp4";
  const auto* format = av_guess_format(name.c_str(), nullptr, nullptr);
  if (!format) return fail(ErrorCode::kUnsupported, "this FFmpeg cannot write {}", name);
  GOPLINE_TRY(check_openable(*format, options.target));

  std::unique_ptr<OutputTarget> target;
  if (options.write) {
    target = OutputTarget::to_function(options.write);
  } else {
    auto care = options.durable ? OutputTarget::Care::kDurable : OutputTarget::Care::kPlain;
    GOPLINE_ASSIGN(target, OutputTarget::open(options.target, care));
  }
  AvDictionary dictionary;
  for (const auto& [key, value] : options.options)
    av_dict_set(&dictionary.entries, key.c_str(), value.c_str(), 0);
  bool flags_given = av_dict_get(dictionary.entries, "movflags", nullptr, 0) != nullptr;
  if (is_mov_family(name) && !flags_given && !target->seekable() && !fragmented) {
    log_info(target->name(), "cannot be written out of order, so this is fragmented {}", name);
    fragmented = true;
  }
  if (fragmented && !flags_given) av_dict_set(&dictionary.entries, "movflags", kFragmentFlags, 0);

  GOPLINE_ASSIGN(auto context, make_context(*format, target->working_path(), source, tracks));
  auto io = std::make_unique<AvIo>(std::move(target));
  GOPLINE_ASSIGN(context->pb, io->open());
  int code = avformat_write_header(context.get(), &dictionary.entries);
  GOPLINE_TRY(io->check());
  if (code < 0) return fail_header(code, *format, source, tracks);
  if (const auto* unknown = av_dict_get(dictionary.entries, "", nullptr, AV_DICT_IGNORE_SUFFIX)) {
    return fail(ErrorCode::kInvalidArgument, "{} has no option '{}'", name, unknown->key);
  }
  return std::make_unique<AvMuxer>(std::move(context), std::move(io), source, tracks);
}

}  // namespace gopline::media
