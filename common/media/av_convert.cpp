#include "common/media/av_convert.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "common/media/side_data_ids.h"

namespace gopline::media {
namespace {

struct SideDataRow {
  std::uint8_t id;
  AVPacketSideDataType type;
  std::string_view name;
};

// The stored numbers: docs/record-format.md, "Side data". Append only.
constexpr std::array kSideData{
    SideDataRow{1, AV_PKT_DATA_PALETTE, "palette"},
    SideDataRow{2, AV_PKT_DATA_NEW_EXTRADATA, "new_extradata"},
    SideDataRow{3, AV_PKT_DATA_PARAM_CHANGE, "param_change"},
    SideDataRow{4, AV_PKT_DATA_H263_MB_INFO, "h263_mb_info"},
    SideDataRow{5, AV_PKT_DATA_REPLAYGAIN, "replaygain"},
    SideDataRow{6, AV_PKT_DATA_DISPLAYMATRIX, "displaymatrix"},
    SideDataRow{7, AV_PKT_DATA_STEREO3D, "stereo3d"},
    SideDataRow{8, AV_PKT_DATA_AUDIO_SERVICE_TYPE, "audio_service_type"},
    SideDataRow{9, AV_PKT_DATA_QUALITY_STATS, "quality_stats"},
    SideDataRow{10, AV_PKT_DATA_FALLBACK_TRACK, "fallback_track"},
    SideDataRow{11, AV_PKT_DATA_CPB_PROPERTIES, "cpb_properties"},
    SideDataRow{12, AV_PKT_DATA_SKIP_SAMPLES, "skip_samples"},
    SideDataRow{13, AV_PKT_DATA_JP_DUALMONO, "jp_dualmono"},
    SideDataRow{14, AV_PKT_DATA_STRINGS_METADATA, "strings_metadata"},
    SideDataRow{15, AV_PKT_DATA_SUBTITLE_POSITION, "subtitle_position"},
    SideDataRow{16, AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL, "matroska_blockadditional"},
    SideDataRow{17, AV_PKT_DATA_WEBVTT_IDENTIFIER, "webvtt_identifier"},
    SideDataRow{18, AV_PKT_DATA_WEBVTT_SETTINGS, "webvtt_settings"},
    SideDataRow{19, AV_PKT_DATA_METADATA_UPDATE, "metadata_update"},
    // 20, MPEG-TS stream id, is reserved and never stored.
    SideDataRow{21, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, "mastering_display_metadata"},
    SideDataRow{22, AV_PKT_DATA_SPHERICAL, "spherical"},
    SideDataRow{23, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, "content_light_level"},
    SideDataRow{24, AV_PKT_DATA_A53_CC, "a53_cc"},
    SideDataRow{25, AV_PKT_DATA_ENCRYPTION_INIT_INFO, "encryption_init_info"},
    SideDataRow{26, AV_PKT_DATA_ENCRYPTION_INFO, "encryption_info"},
    SideDataRow{27, AV_PKT_DATA_AFD, "afd"},
    SideDataRow{28, AV_PKT_DATA_PRFT, "prft"},
    SideDataRow{29, AV_PKT_DATA_ICC_PROFILE, "icc_profile"},
    SideDataRow{30, AV_PKT_DATA_DOVI_CONF, "dovi_conf"},
    SideDataRow{31, AV_PKT_DATA_S12M_TIMECODE, "s12m_timecode"},
    SideDataRow{32, AV_PKT_DATA_DYNAMIC_HDR10_PLUS, "dynamic_hdr10_plus"},
};

std::uint8_t id_of(AVPacketSideDataType type) {
  for (const auto& row : kSideData) {
    if (row.type == type) return row.id;
  }
  return 0;
}

std::optional<AVPacketSideDataType> type_of(std::uint8_t id) {
  for (const auto& row : kSideData) {
    if (row.id == id) return row.type;
  }
  return std::nullopt;
}

std::vector<SideData> copy_side_data(const AVPacketSideData* first, int count) {
  std::vector<SideData> out;
  for (int i = 0; i < count; ++i) {
    if (auto id = id_of(first[i].type))
      out.push_back({id, Buffer::copy(std::span(first[i].data, first[i].size))});
  }
  return out;
}

// FFmpeg has no names for AVFieldOrder; these are ffprobe's words.
constexpr std::array<std::pair<AVFieldOrder, const char*>, 6> kFieldOrders{
    {{AV_FIELD_UNKNOWN, ""},
     {AV_FIELD_PROGRESSIVE, "progressive"},
     {AV_FIELD_TT, "tt"},
     {AV_FIELD_BB, "bb"},
     {AV_FIELD_TB, "tb"},
     {AV_FIELD_BT, "bt"}}};

std::string text_or_empty(const char* text) {
  return text ? text : "";
}

// FFmpeg's lookups by name: a negative value means that this FFmpeg does not know the name.
template <typename Enum>
Enum by_name(int (*lookup)(const char*), const std::string& name, Enum unknown) {
  int value = name.empty() ? -1 : lookup(name.c_str());
  return value < 0 ? unknown : static_cast<Enum>(value);
}

MediaType from_av_type(AVMediaType type) {
  switch (type) {
    case AVMEDIA_TYPE_VIDEO:
      return MediaType::kVideo;
    case AVMEDIA_TYPE_AUDIO:
      return MediaType::kAudio;
    case AVMEDIA_TYPE_SUBTITLE:
      return MediaType::kSubtitle;
    default:
      return MediaType::kData;
  }
}

AVMediaType to_av_type(MediaType type) {
  switch (type) {
    case MediaType::kVideo:
      return AVMEDIA_TYPE_VIDEO;
    case MediaType::kAudio:
      return AVMEDIA_TYPE_AUDIO;
    case MediaType::kSubtitle:
      return AVMEDIA_TYPE_SUBTITLE;
    case MediaType::kData:
      return AVMEDIA_TYPE_DATA;
  }
  return AVMEDIA_TYPE_DATA;
}

void read_video(const AVCodecParameters& from, CodecParameters& to) {
  to.format = text_or_empty(av_get_pix_fmt_name(static_cast<AVPixelFormat>(from.format)));
  to.width = from.width;
  to.height = from.height;
  to.sample_aspect_ratio = from_av(from.sample_aspect_ratio);
  for (auto [order, name] : kFieldOrders) {
    if (order == from.field_order) to.field_order = name;
  }
  if (from.color_range != AVCOL_RANGE_UNSPECIFIED)
    to.color_range = text_or_empty(av_color_range_name(from.color_range));
  if (from.color_primaries != AVCOL_PRI_UNSPECIFIED) {
    to.color_primaries = text_or_empty(av_color_primaries_name(from.color_primaries));
  }
  if (from.color_trc != AVCOL_TRC_UNSPECIFIED)
    to.color_transfer = text_or_empty(av_color_transfer_name(from.color_trc));
  if (from.color_space != AVCOL_SPC_UNSPECIFIED)
    to.color_space = text_or_empty(av_color_space_name(from.color_space));
  if (from.chroma_location != AVCHROMA_LOC_UNSPECIFIED) {
    to.chroma_location = text_or_empty(av_chroma_location_name(from.chroma_location));
  }
  to.video_delay = from.video_delay;
}

void write_video(const CodecParameters& from, AVCodecParameters& to) {
  to.format = av_get_pix_fmt(from.format.c_str());
  to.width = from.width;
  to.height = from.height;
  to.sample_aspect_ratio = to_av(from.sample_aspect_ratio);
  for (auto [order, name] : kFieldOrders) {
    if (from.field_order == name) to.field_order = order;
  }
  to.color_range = by_name(av_color_range_from_name, from.color_range, AVCOL_RANGE_UNSPECIFIED);
  to.color_primaries = by_name(av_color_primaries_from_name, from.color_primaries, AVCOL_PRI_UNSPECIFIED);
  to.color_trc = by_name(av_color_transfer_from_name, from.color_transfer, AVCOL_TRC_UNSPECIFIED);
  to.color_space = by_name(av_color_space_from_name, from.color_space, AVCOL_SPC_UNSPECIFIED);
  to.chroma_location = by_name(av_chroma_location_from_name, from.chroma_location, AVCHROMA_LOC_UNSPECIFIED);
  to.video_delay = from.video_delay;
}

void read_audio(const AVCodecParameters& from, CodecParameters& to) {
  to.format = text_or_empty(av_get_sample_fmt_name(static_cast<AVSampleFormat>(from.format)));
  std::array<char, 256> layout{};
  if (av_channel_layout_describe(&from.ch_layout, layout.data(), layout.size()) > 0)
    to.channel_layout = layout.data();
  to.sample_rate = from.sample_rate;
  to.block_align = from.block_align;
  to.frame_size = from.frame_size;
  to.initial_padding = from.initial_padding;
  to.trailing_padding = from.trailing_padding;
  to.seek_preroll = from.seek_preroll;
}

void write_audio(const CodecParameters& from, AVCodecParameters& to) {
  to.format = av_get_sample_fmt(from.format.c_str());
  if (!from.channel_layout.empty()) {
    AVChannelLayout layout{};
    // "2 channels" is how an unspecified order is described; av_channel_layout_from_string takes "2C" for it.
    if (av_channel_layout_from_string(&layout, from.channel_layout.c_str()) < 0) {
      layout.order = AV_CHANNEL_ORDER_UNSPEC;
      layout.nb_channels = std::atoi(from.channel_layout.c_str());
    }
    av_channel_layout_uninit(&to.ch_layout);
    to.ch_layout = layout;
  }
  to.sample_rate = from.sample_rate;
  to.block_align = from.block_align;
  to.frame_size = from.frame_size;
  to.initial_padding = from.initial_padding;
  to.trailing_padding = from.trailing_padding;
  to.seek_preroll = from.seek_preroll;
}

Buffer share_payload(const AVPacket& packet) {
  std::span<const std::uint8_t> bytes(packet.data, static_cast<std::size_t>(packet.size));
  if (packet.size == 0) return {};
  if (!packet.buf) return Buffer::copy(bytes);
  AVBufferRef* reference = av_buffer_ref(packet.buf);
  if (!reference) return Buffer::copy(bytes);
  return {std::shared_ptr<const void>(reference, [](AVBufferRef* r) { av_buffer_unref(&r); }), bytes};
}

AVBufferRef* wrap(const Buffer& buffer) {
  auto* holder = new Buffer(buffer);
  auto* reference = av_buffer_create(
      const_cast<std::uint8_t*>(buffer.data()), buffer.size(),
      [](void* opaque, std::uint8_t*) { delete static_cast<Buffer*>(opaque); }, holder,
      AV_BUFFER_FLAG_READONLY);
  if (!reference) delete holder;
  return reference;
}

}  // namespace

std::string_view side_data_name(std::uint8_t id) {
  auto row = std::ranges::find(kSideData, id, &SideDataRow::id);
  return row == kSideData.end() ? std::string_view() : row->name;
}

std::optional<Error> refusal_of(int code) {
  switch (code) {
    case AVERROR_HTTP_UNAUTHORIZED:
    case AVERROR_HTTP_FORBIDDEN:
      return Error{ErrorCode::kPermissionDenied, "the user or the password is wrong, or may not see it"};
    case AVERROR_HTTP_NOT_FOUND:
      return Error{ErrorCode::kNotFound, "the server is there, but has nothing of that name"};
    case AVERROR(ECONNREFUSED):
    case AVERROR(EHOSTUNREACH):
    case AVERROR(ENETUNREACH):
    case AVERROR(ECONNRESET):
    case AVERROR(ETIMEDOUT):
    case AVERROR(EPIPE):
    case AVERROR_HTTP_SERVER_ERROR:
      return Error{ErrorCode::kUnavailable, av_error_text(code)};
    default:
      return std::nullopt;
  }
}

tl::unexpected<Error> fail_av(int code, std::string_view what) {
  auto text = av_error_text(code);
  switch (code) {
    case AVERROR_INVALIDDATA:
      return fail(ErrorCode::kCorrupt, "{}: {}", what, text);
    case AVERROR_EXIT:
      return fail(ErrorCode::kCancelled, "{}: stopped", what);
    case AVERROR_DEMUXER_NOT_FOUND:
    case AVERROR_MUXER_NOT_FOUND:
    case AVERROR_DECODER_NOT_FOUND:
    case AVERROR_PROTOCOL_NOT_FOUND:
    case AVERROR_BSF_NOT_FOUND:
    case AVERROR_PATCHWELCOME:
      return fail(ErrorCode::kUnsupported, "{}: {}", what, text);
    default:
      break;
  }
  int error_number = AVUNERROR(code);
  if (error_number > 0 && error_number < 4096) return fail_errno(error_number, what);
  return fail(ErrorCode::kInternal, "{}: {}", what, text);
}

namespace {
std::optional<Timestamp> producer_time_of(const AVPacket& packet) {
  std::size_t size = 0;
  const auto* data = av_packet_get_side_data(&packet, AV_PKT_DATA_PRFT, &size);
  if (!data || size < sizeof(AVProducerReferenceTime)) return std::nullopt;
  return Timestamp(Duration(reinterpret_cast<const AVProducerReferenceTime*>(data)->wallclock));
}
}  // namespace

Packet from_av_packet(const AVPacket& packet, int track) {
  Packet out;
  out.track = track;
  out.pts = from_av_time(packet.pts);
  out.dts = from_av_time(packet.dts);
  out.duration = packet.duration;
  out.flags = static_cast<std::uint32_t>(packet.flags);
  out.data = share_payload(packet);
  if (packet.side_data_elems > 0) {
    out.side_data = copy_side_data(packet.side_data, packet.side_data_elems);
    out.producer_time = producer_time_of(packet);
  }
  return out;
}

Result<AvPacketPtr> to_av_packet(const Packet& packet, bool padded) {
  AvPacketPtr out(av_packet_alloc());
  if (!out) return fail(ErrorCode::kInternal, "out of memory");
  if (padded) {
    if (av_new_packet(out.get(), static_cast<int>(packet.data.size())) < 0) {
      return fail(ErrorCode::kInternal, "out of memory");
    }
    if (!packet.data.empty()) std::memcpy(out->data, packet.data.data(), packet.data.size());
  } else {
    out->buf = wrap(packet.data);
    if (!out->buf) return fail(ErrorCode::kInternal, "out of memory");
    out->data = out->buf->data;
    out->size = static_cast<int>(packet.data.size());
  }
  out->pts = to_av_time(packet.pts);
  out->dts = to_av_time(packet.dts);
  out->duration = packet.duration;
  out->flags = static_cast<int>(packet.flags);
  out->stream_index = packet.track;
  for (const auto& side : packet.side_data) {
    auto type = type_of(side.id);
    if (!type) continue;  // stored by a newer version: a remux can do without
    auto* bytes = av_packet_new_side_data(out.get(), *type, side.bytes.size());
    if (!bytes) return fail(ErrorCode::kInternal, "out of memory");
    if (!side.bytes.empty()) std::memcpy(bytes, side.bytes.data(), side.bytes.size());
  }
  return out;
}

CodecParameters from_av_parameters(const AVCodecParameters& from) {
  CodecParameters to;
  to.type = from_av_type(from.codec_type);
  to.codec = avcodec_get_name(from.codec_id);
  to.codec_tag = from.codec_tag;
  to.extradata = Buffer::copy(std::span(from.extradata, static_cast<std::size_t>(from.extradata_size)));
  to.bit_rate = from.bit_rate;
  to.bits_per_coded_sample = from.bits_per_coded_sample;
  to.bits_per_raw_sample = from.bits_per_raw_sample;
  to.profile = from.profile;
  to.level = from.level;
  if (to.type == MediaType::kVideo) read_video(from, to);
  if (to.type == MediaType::kAudio) read_audio(from, to);
  return to;
}

Result<AvCodecParametersPtr> to_av_parameters(const CodecParameters& from) {
  AvCodecParametersPtr to(avcodec_parameters_alloc());
  if (!to) return fail(ErrorCode::kInternal, "out of memory");
  to->codec_type = to_av_type(from.type);
  if (const auto* descriptor = avcodec_descriptor_get_by_name(from.codec.c_str())) {
    to->codec_id = descriptor->id;
  } else if (from.type == MediaType::kVideo || from.type == MediaType::kAudio) {
    return fail(ErrorCode::kUnsupported, "codec '{}' is not known to this FFmpeg", from.codec);
  }
  to->codec_tag = from.codec_tag;
  if (!from.extradata.empty()) {
    to->extradata =
        static_cast<std::uint8_t*>(av_mallocz(from.extradata.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    if (!to->extradata) return fail(ErrorCode::kInternal, "out of memory");
    std::memcpy(to->extradata, from.extradata.data(), from.extradata.size());
    to->extradata_size = static_cast<int>(from.extradata.size());
  }
  to->bit_rate = from.bit_rate;
  to->bits_per_coded_sample = from.bits_per_coded_sample;
  to->bits_per_raw_sample = from.bits_per_raw_sample;
  to->profile = from.profile;
  to->level = from.level;
  if (from.type == MediaType::kVideo) write_video(from, *to);
  if (from.type == MediaType::kAudio) write_audio(from, *to);
  return to;
}

std::vector<SideData> stream_side_data(const AVStream& stream) {
#if GOPLINE_AV_CODECPAR_SIDE_DATA
  return copy_side_data(stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data);
#else
  return copy_side_data(stream.side_data, stream.nb_side_data);
#endif
}

Result<void> set_stream_side_data(AVStream& stream, const std::vector<SideData>& side_data) {
  for (const auto& side : side_data) {
    auto type = type_of(side.id);
    if (!type) continue;
#if GOPLINE_AV_CODECPAR_SIDE_DATA
    auto* entry = av_packet_side_data_new(&stream.codecpar->coded_side_data,
                                          &stream.codecpar->nb_coded_side_data, *type, side.bytes.size(), 0);
    std::uint8_t* bytes = entry ? entry->data : nullptr;
#else
    std::uint8_t* bytes = av_stream_new_side_data(&stream, *type, side.bytes.size());
#endif
    if (!bytes) return fail(ErrorCode::kInternal, "out of memory");
    if (!side.bytes.empty()) std::memcpy(bytes, side.bytes.data(), side.bytes.size());
  }
  return {};
}

std::map<std::string, std::string> from_av_dictionary(const AVDictionary* dictionary) {
  std::map<std::string, std::string> out;
  const AVDictionaryEntry* entry = nullptr;
  while ((entry = av_dict_get(dictionary, "", entry, AV_DICT_IGNORE_SUFFIX))) out[entry->key] = entry->value;
  return out;
}

void to_av_dictionary(const std::map<std::string, std::string>& values, AVDictionary** dictionary) {
  for (const auto& [key, value] : values) av_dict_set(dictionary, key.c_str(), value.c_str(), 0);
}

}  // namespace gopline::media
