#include "common/media/output_context.h"

#include <algorithm>
#include <array>

#include "common/media/adts.h"
#include "common/media/annexb.h"
#include "common/media/av_convert.h"

namespace gopline::media {
namespace {

constexpr int kMaxDelayUs = 700'000;  // ffmpeg's -muxdelay

// Muxers that take ADTS headers off, where what they store is the same with and without; RTP has none.
bool strips_adts(std::string_view format) {
  return is_mov_family(format) || is_one_of(format, {"matroska", "webm", "flv", "rtsp"});
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

}  // namespace

std::string describe(const Track& track) {
  return fmt::format("track {} ({} {})", track.id, track.codec.codec, to_string(track.codec.type));
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

bool is_mov_family(std::string_view format) {
  return is_one_of(format, {"mp4", "mov", "ipod", "3gp", "3g2", "psp", "f4v", "ismv"});
}

bool writes_unparsed(std::string_view format) {
  return is_mov_family(format) || is_one_of(format, {"matroska", "nut", "flv"});
}

Restore restore_of(const Track& track, std::string_view format) {
  if (track.source_form == SourceForm::kAnnexB) return Restore::kAnnexB;
  if (track.source_form == SourceForm::kAdts && !strips_adts(format) &&
      fits_adts(track.codec.extradata.bytes())) {
    return Restore::kAdts;
  }
  return Restore::kNothing;
}

Result<AvPacketPtr> restored_packet(const Packet& packet, const Track& track, Restore restore, bool padded) {
  if (restore == Restore::kNothing || packet.data.empty()) return to_av_packet(packet, padded);
  Packet back = packet;
  if (restore == Restore::kAnnexB) {
    GOPLINE_ASSIGN(back.data, to_annexb(packet.data));
  } else {
    GOPLINE_ASSIGN(back.data, add_adts_header(packet.data, track.codec.extradata.bytes()));
  }
  return to_av_packet(back, true);
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

namespace {

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

}  // namespace

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

}  // namespace gopline::media
