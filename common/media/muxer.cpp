#include "common/media/muxer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/logging.h"
#include "common/media/adts.h"
#include "common/media/annexb.h"
#include "common/media/av.h"
#include "common/media/av_convert.h"
#include "common/media/muxer_output.h"
#include "common/media/remux_timestamps.h"
#include "common/media/side_data_ids.h"

namespace gopline::media {
namespace {

constexpr std::size_t kIoBufferBytes = 1 << 20;
constexpr int kMaxDelayUs = 700'000;               // ffmpeg's -muxdelay
constexpr std::size_t kSharedPayloadBytes = 4096;  // smaller payloads are cheaper copied than shared
constexpr auto kDialect = LIBAVFORMAT_VERSION_MAJOR >= 60 ? RemuxDialect::kFfmpeg7 : RemuxDialect::kFfmpeg5;
constexpr const char* kFragmentFlags = "frag_keyframe+delay_moov+default_base_moof";

struct FormatName {
  std::string_view ours, libavformat;
};
constexpr std::array kNames{FormatName{"mkv", "matroska"}, FormatName{"ts", "mpegts"},
                            FormatName{"m4a", "ipod"}, FormatName{"aac", "adts"}};

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

bool is_mov_family(std::string_view format) {
  return is_one_of(format, {"mp4", "mov", "ipod", "3gp", "3g2", "psp", "f4v", "ismv"});
}

// Muxers that take ADTS headers off, where what they store is the same with and without.
bool strips_adts(std::string_view format) {
  return is_mov_family(format) || is_one_of(format, {"matroska", "webm", "flv"});
}

// Muxers that write H.264 and HEVC with an avcC or hvcC as it comes, without looking behind the payload's
// end.
bool writes_unparsed(std::string_view format) {
  return is_mov_family(format) || is_one_of(format, {"matroska", "nut", "flv"});
}

std::string describe(const Track& track) {
  return fmt::format("track {} ({} {})", track.id, track.codec.codec, to_string(track.codec.type));
}

// How a track's payloads are put back into the form that its source had.
enum class Restore { kNothing, kAnnexB, kAdts };

Restore restore_of(const Track& track, std::string_view format) {
  if (track.source_form == SourceForm::kAnnexB) return Restore::kAnnexB;
  if (track.source_form == SourceForm::kAdts && !strips_adts(format) &&
      fits_adts(track.codec.extradata.bytes())) {
    return Restore::kAdts;
  }
  return Restore::kNothing;
}

// The time base that ffmpeg proposes to the muxer. 5.x proposes the frame rate to containers with a fixed
// one.
AVRational time_base_hint(const Track& track, const AVOutputFormat& format) {
  auto base = to_av(track.time_base);
  AVRational hint = base;
  if (kDialect == RemuxDialect::kFfmpeg5 && track.avg_frame_rate.num > 0 &&
      track.codec.type == MediaType::kVideo) {
    double frame = 1 / track.avg_frame_rate.to_double();
    bool fine = av_q2d(base) < 1.0 / 500;
    bool avi = std::string_view(format.name) == "avi";
    if (avi && fine && frame > 2 * av_q2d(base)) {
      hint = av_inv_q(av_mul_q(to_av(track.avg_frame_rate), {2, 1}));
    } else if (!avi && fine && (format.flags & AVFMT_VARIABLE_FPS) == 0 && !is_mov_family(format.name) &&
               frame > av_q2d(base)) {
      hint = av_inv_q(to_av(track.avg_frame_rate));
    }
  }
  av_reduce(&hint.num, &hint.den, hint.num, hint.den, INT32_MAX);
  return hint;
}

// The source's tag goes along unless the container has another one for the codec.
std::uint32_t codec_tag_for(const AVOutputFormat& format, const AVCodecParameters& codec) {
  unsigned other = 0;
  bool keep = format.codec_tag == nullptr ||
              av_codec_get_id(format.codec_tag, codec.codec_tag) == codec.codec_id ||
              av_codec_get_tag2(format.codec_tag, codec.codec_id, &other) == 0;
  return keep ? codec.codec_tag : 0;
}

void forget_odd_block_sizes(AVCodecParameters& codec) {
  bool mp3 = codec.codec_id == AV_CODEC_ID_MP3 &&
             (codec.block_align == 1 || codec.block_align == 1152 || codec.block_align == 576);
  if (mp3 || codec.codec_id == AV_CODEC_ID_AC3) codec.block_align = 0;
}

void guess_channel_layout(AVCodecParameters& codec) {
  if (codec.codec_type != AVMEDIA_TYPE_AUDIO || codec.ch_layout.order != AV_CHANNEL_ORDER_UNSPEC) return;
  int channels = codec.ch_layout.nb_channels;
  if (channels > 0) av_channel_layout_default(&codec.ch_layout, channels);
}

// Where a container tells one track of a kind from the others by a default, some track must be it: the first.
void choose_defaults(AVFormatContext& context) {
  std::array<int, AVMEDIA_TYPE_NB> count{};
  std::array<bool, AVMEDIA_TYPE_NB> chosen{};
  for (unsigned i = 0; i < context.nb_streams; ++i) {
    auto type = static_cast<std::size_t>(context.streams[i]->codecpar->codec_type);
    ++count[type];
    if (context.streams[i]->disposition & AV_DISPOSITION_DEFAULT) chosen[type] = true;
  }
  for (unsigned i = 0; i < context.nb_streams; ++i) {
    auto type = static_cast<std::size_t>(context.streams[i]->codecpar->codec_type);
    if (count[type] < 2 || chosen[type]) continue;
    context.streams[i]->disposition |= AV_DISPOSITION_DEFAULT;
    chosen[type] = true;
  }
}

Result<void> add_stream(AVFormatContext& context, const Track& track, Restore restore) {
  AVStream* stream = avformat_new_stream(&context, nullptr);
  if (!stream) return fail(ErrorCode::kInternal, "out of memory");
  CodecParameters codec = track.codec;
  if (restore == Restore::kAdts) codec.extradata = {};
  GOPLINE_ASSIGN(auto parameters, to_av_parameters(codec));
  parameters->codec_tag = codec_tag_for(*context.oformat, *parameters);
  forget_odd_block_sizes(*parameters);
  guess_channel_layout(*parameters);
  if (avcodec_parameters_copy(stream->codecpar, parameters.get()) < 0)
    return fail(ErrorCode::kInternal, "out of memory");
  stream->time_base = time_base_hint(track, *context.oformat);
  stream->avg_frame_rate = to_av(track.avg_frame_rate);
  if (codec.type == MediaType::kVideo) {
    stream->r_frame_rate = to_av(track.r_frame_rate);
    stream->sample_aspect_ratio = to_av(codec.sample_aspect_ratio);
  }
  if (track.duration.value_or(0) > 0) {
    stream->duration = av_rescale_q(*track.duration, to_av(track.time_base), stream->time_base);
  }
  stream->disposition = track.disposition;
  to_av_dictionary(track.metadata, &stream->metadata);
  return set_stream_side_data(*stream, track.side_data);
}

Result<AvOutputPtr> make_context(const AVOutputFormat& format, const std::string& path,
                                 const SourceInfo& source, const std::vector<Track>& tracks) {
  AVFormatContext* raw = nullptr;
  if (int code = avformat_alloc_output_context2(&raw, &format, nullptr, path.c_str()); code < 0) {
    return fail_av(code, format.name);
  }
  AvOutputPtr context(raw);
  for (const auto& track : tracks) GOPLINE_TRY(add_stream(*context, track, restore_of(track, format.name)));
  choose_defaults(*context);
  to_av_dictionary(source.metadata, &context->metadata);
  for (const char* key : {"creation_time", "company_name", "product_name", "product_version"}) {
    av_dict_set(&context->metadata, key, nullptr, 0);
  }
  context->max_delay = kMaxDelayUs;
  context->flush_packets = 0;  // fewer and larger writes; the bytes are the same
  return context;
}

// Whether a muxer accepts these tracks: its header is written into nothing.
bool accepts(const AVOutputFormat& format, const SourceInfo& source, const std::vector<Track>& tracks) {
  for (const auto& track : tracks) {
    const auto* codec = avcodec_descriptor_get_by_name(track.codec.codec.c_str());
    if (!codec || avformat_query_codec(&format, codec->id, FF_COMPLIANCE_NORMAL) == 0) return false;
  }
  auto context = make_context(format, "", source, tracks);
  if (!context || avio_open_dyn_buf(&(*context)->pb) < 0) return false;
  AvDictionary options;
  if (is_mov_family(format.name)) av_dict_set(&options.entries, "movflags", "frag_keyframe+delay_moov", 0);
  int code = avformat_write_header(context->get(), &options.entries);
  std::uint8_t* bytes = nullptr;
  if (code >= 0) av_write_trailer(context->get());
  avio_close_dyn_buf((*context)->pb, &bytes);
  av_free(bytes);
  return code >= 0;
}

std::string suggestion(const SourceInfo& source, const std::vector<Track>& tracks) {
  for (const char* name : {"mp4", "matroska", "mov", "mpegts", "nut"}) {
    const auto* format = av_guess_format(name, nullptr, nullptr);
    if (format && accepts(*format, source, tracks)) return fmt::format("; {} can hold all tracks", name);
  }
  return {};
}

tl::unexpected<Error> fail_header(int code, const AVOutputFormat& format, const SourceInfo& source,
                                  const std::vector<Track>& tracks) {
  for (const auto& track : tracks) {
    if (!accepts(format, source, {track})) {
      return fail(ErrorCode::kUnsupported, "{} cannot hold {}{}", format.name, describe(track),
                  suggestion(source, tracks));
    }
  }
  return fail(ErrorCode::kUnsupported, "{} cannot hold these tracks together ({}){}", format.name,
              av_error_text(code), suggestion(source, tracks));
}

// The target as libavformat's I/O. The first failure is kept: libavformat passes on a number only.
class AvIo {
 public:
  explicit AvIo(std::unique_ptr<OutputTarget> target) : target_(std::move(target)) {}

  Result<AVIOContext*> open() {
    auto* buffer = static_cast<std::uint8_t*>(av_malloc(kIoBufferBytes));
    if (!buffer) return fail(ErrorCode::kInternal, "out of memory");
    context_.reset(avio_alloc_context(buffer, kIoBufferBytes, 1, this, nullptr, &AvIo::write,
                                      target_->seekable() ? &AvIo::seek : nullptr));
    if (!context_) return fail(ErrorCode::kInternal, "out of memory");
    if (!target_->seekable()) context_->seekable = 0;
    return context_.get();
  }

  Result<void> commit() {
    avio_flush(context_.get());
    GOPLINE_TRY(check());
    return target_->commit();
  }

  // What failed since the beginning.
  Result<void> check() const {
    if (failure_) return tl::unexpected<Error>(*failure_);
    return {};
  }
  OutputTarget& target() { return *target_; }
  std::uint64_t bytes_written() const { return target_->bytes_written(); }

 private:
#if LIBAVFORMAT_VERSION_MAJOR >= 61
  using Bytes = const std::uint8_t*;
#else
  using Bytes = std::uint8_t*;
#endif
  static int write(void* self, Bytes bytes, int size) {
    auto& io = *static_cast<AvIo*>(self);
    if (io.failure_) return AVERROR(EIO);
    return io.keep(io.target_->write(std::span<const std::uint8_t>(bytes, static_cast<std::size_t>(size))))
               ? size
               : AVERROR(EIO);
  }
  static std::int64_t seek(void* self, std::int64_t offset, int whence) {
    auto& target = *static_cast<AvIo*>(self)->target_;
    if (whence == AVSEEK_SIZE) return static_cast<std::int64_t>(target.bytes_written());
    if (whence == SEEK_CUR) offset += static_cast<std::int64_t>(target.position());
    if (whence == SEEK_END) offset += static_cast<std::int64_t>(target.bytes_written());
    if (offset < 0 || !static_cast<AvIo*>(self)->keep(target.seek(static_cast<std::uint64_t>(offset))))
      return AVERROR(EIO);
    return offset;
  }
  bool keep(const Result<void>& result) {
    if (!result && !failure_) failure_ = result.error();
    return result.has_value();
  }

  std::unique_ptr<OutputTarget> target_;
  AvIoContextPtr context_;
  std::optional<Error> failure_;
};

RemuxSettings settings_for(const SourceInfo& source, const AVOutputFormat& format) {
  RemuxSettings settings;
  settings.dialect = kDialect;
  settings.start_time_us = source.start_time_us;
  settings.timestamps_may_jump = source.timestamps_may_jump;
  if (is_one_of(source.format, {"mpegts", "mpegtsraw", "mpeg", "hls"})) settings.wrap_bits = 33;
  if (is_one_of(source.format, {"flv", "live_flv"})) settings.wrap_bits = 32;
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
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      const auto& track = tracks_[i];
      timed.push_back({.type = track.codec.type,
                       .source_base = track.time_base,
                       .output_base = from_av(context_->streams[i]->time_base),
                       .frame_rate = track.avg_frame_rate,
                       .video_delay = track.codec.video_delay,
                       .sample_rate = track.codec.sample_rate,
                       .frame_size = track.codec.frame_size,
                       .start_time = track.start_time});
    }
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
    if (restore_[index] == Restore::kNothing || packet.data.empty()) return to_av_packet(packet, !shared);
    Packet back = packet;
    if (restore_[index] == Restore::kAnnexB) {
      GOPLINE_ASSIGN(back.data, to_annexb(packet.data));
    } else {
      GOPLINE_ASSIGN(back.data, add_adts_header(packet.data, tracks_[index].codec.extradata.bytes()));
    }
    return to_av_packet(back, true);
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
    GOPLINE_ASSIGN(target, OutputTarget::open(options.target));
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
