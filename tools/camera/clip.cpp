#include "tools/camera/clip.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/mathematics.h>
}

namespace gopline::camera {
namespace {

struct InputDeleter {
  void operator()(AVFormatContext* input) const { avformat_close_input(&input); }
};
using InputPtr = std::unique_ptr<AVFormatContext, InputDeleter>;

struct PacketDeleter {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
using PacketPtr = std::unique_ptr<AVPacket, PacketDeleter>;

constexpr AVRational kNanoseconds{1, 1000000000};

std::optional<Codec> codec_of(AVCodecID id) {
  switch (id) {
    case AV_CODEC_ID_H264:
      return Codec::kH264;
    case AV_CODEC_ID_HEVC:
      return Codec::kHevc;
    case AV_CODEC_ID_MPEG4:
      return Codec::kMpeg4;
    case AV_CODEC_ID_MJPEG:
      return Codec::kMjpeg;
    case AV_CODEC_ID_AAC:
      return Codec::kAac;
    case AV_CODEC_ID_OPUS:
      return Codec::kOpus;
    case AV_CODEC_ID_PCM_ALAW:
      return Codec::kPcma;
    case AV_CODEC_ID_PCM_MULAW:
      return Codec::kPcmu;
    default:
      return std::nullopt;
  }
}

InputPtr open_input(const std::string& path) {
  AVFormatContext* raw = nullptr;
  if (avformat_open_input(&raw, path.c_str(), nullptr, nullptr) < 0)
    throw std::runtime_error(fmt::format("{} cannot be opened as a clip", path));
  InputPtr input(raw);
  if (avformat_find_stream_info(input.get(), nullptr) < 0)
    throw std::runtime_error(fmt::format("{}: its tracks were not found", path));
  return input;
}

Track describe(const AVStream& stream, const std::string& path) {
  const AVCodecParameters& parameters = *stream.codecpar;
  const auto codec = codec_of(parameters.codec_id);
  if (!codec)
    throw std::runtime_error(fmt::format("{} has {}, which this camera does not send", path,
                                         avcodec_get_name(parameters.codec_id)));
  Track track;
  track.codec = *codec;
  if (parameters.extradata_size > 0)
    track.extradata.reset(g_bytes_new(parameters.extradata, static_cast<gsize>(parameters.extradata_size)));
  track.width = parameters.width;
  track.height = parameters.height;
  track.rate = parameters.sample_rate;
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(59, 24, 100)
  track.channels = parameters.ch_layout.nb_channels;
#else
  track.channels = parameters.channels;
#endif
  return track;
}

void add_sample(Track& track, const AVPacket& packet, AVRational time_base) {
  const int64_t length = av_rescale_q(packet.duration, time_base, kNanoseconds);
  Sample sample;
  sample.data.reset(g_bytes_new(packet.data, static_cast<gsize>(packet.size)));
  sample.key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
  if (packet.dts != AV_NOPTS_VALUE)
    sample.dts = av_rescale_q(packet.dts, time_base, kNanoseconds);
  else if (!track.samples.empty())
    sample.dts = track.samples.back().dts + length;
  sample.pts = packet.pts == AV_NOPTS_VALUE ? sample.dts : av_rescale_q(packet.pts, time_base, kNanoseconds);
  track.samples.push_back(std::move(sample));
  track.period = length;  // of the last one, until all are there
}

// Sets period and reorder, which only the whole track tells, and makes the times count from `beginning`.
void finish(Track& track, int64_t beginning) {
  auto& samples = track.samples;
  const int64_t span = samples.back().dts - samples.front().dts;
  if (samples.size() > 1 && (is_video(track.codec) || track.period == 0))
    track.period = span / static_cast<int64_t>(samples.size() - 1);
  track.period += span;
  for (Sample& sample : samples) {
    sample.dts -= beginning;
    sample.pts -= beginning;
    track.reorder = std::max(track.reorder, sample.pts - sample.dts);
  }
}

// H.264 with parameter sets apart says so by the first byte of its extradata; HEVC likewise.
bool is_length_prefixed(const Track& track) {
  gsize size = 0;
  const auto* bytes =
      track.extradata ? static_cast<const uint8_t*>(g_bytes_get_data(track.extradata.get(), &size)) : nullptr;
  return size > 4 && bytes[0] == 1;
}

std::string format_of(const Track& track) {
  const bool prefixed = is_length_prefixed(track);
  switch (track.codec) {
    case Codec::kH264:
      return fmt::format("video/x-h264,alignment=au,stream-format={}", prefixed ? "avc" : "byte-stream");
    case Codec::kHevc:
      return fmt::format("video/x-h265,alignment=au,stream-format={}", prefixed ? "hvc1" : "byte-stream");
    case Codec::kMpeg4:
      return "video/mpeg,mpegversion=4,systemstream=false";
    case Codec::kMjpeg:
      return "image/jpeg";
    case Codec::kAac:
      return "audio/mpeg,mpegversion=4,stream-format=raw";
    case Codec::kOpus:
      return "audio/x-opus,channel-mapping-family=0";
    case Codec::kPcma:
      return "audio/x-alaw";
    case Codec::kPcmu:
      return "audio/x-mulaw";
  }
  return {};
}

}  // namespace

bool is_video(Codec codec) {
  return codec == Codec::kH264 || codec == Codec::kHevc || codec == Codec::kMpeg4 || codec == Codec::kMjpeg;
}

std::shared_ptr<const Clip> load_clip(const std::string& path) {
  const InputPtr input = open_input(path);
  auto clip = std::make_shared<Clip>();
  clip->path = path;
  std::map<int, size_t> wanted;  // stream in the file -> track
  for (const AVMediaType type : {AVMEDIA_TYPE_VIDEO, AVMEDIA_TYPE_AUDIO}) {
    const int index = av_find_best_stream(input.get(), type, -1, -1, nullptr, 0);
    if (index < 0) continue;
    wanted.emplace(index, clip->tracks.size());
    clip->tracks.push_back(describe(*input->streams[index], path));
  }
  const PacketPtr packet(av_packet_alloc());
  while (av_read_frame(input.get(), packet.get()) >= 0) {
    if (const auto found = wanted.find(packet->stream_index); found != wanted.end() && packet->size > 0)
      add_sample(clip->tracks[found->second], *packet, input->streams[packet->stream_index]->time_base);
    av_packet_unref(packet.get());
  }
  int64_t beginning = INT64_MAX;
  for (const Track& track : clip->tracks)
    for (const Sample& sample : track.samples) beginning = std::min(beginning, sample.pts);
  for (Track& track : clip->tracks) {
    if (track.samples.empty()) throw std::runtime_error(fmt::format("{} has a track without packets", path));
    finish(track, beginning);
  }
  if (clip->tracks.empty() || !is_video(clip->tracks.front().codec))
    throw std::runtime_error(fmt::format("{} has no pictures", path));
  return clip;
}

CapsPtr caps_of(const Track& track) {
  CapsPtr caps(gst_caps_from_string(format_of(track).c_str()));
  if (is_video(track.codec))
    gst_caps_set_simple(caps.get(), "width", G_TYPE_INT, track.width, "height", G_TYPE_INT, track.height,
                        nullptr);
  else
    gst_caps_set_simple(caps.get(), "rate", G_TYPE_INT, track.rate, "channels", G_TYPE_INT, track.channels,
                        nullptr);
  const bool by_codec_data =
      is_length_prefixed(track) || track.codec == Codec::kMpeg4 || track.codec == Codec::kAac;
  if (by_codec_data && track.extradata) {
    const BufferPtr data(gst_buffer_new_wrapped_bytes(track.extradata.get()));
    gst_caps_set_simple(caps.get(), "codec_data", GST_TYPE_BUFFER, data.get(), nullptr);
  }
  return caps;
}

std::string payloader_of(const Track& track, size_t index) {
  const auto named = [&](const char* element, int payload_type, const char* more = "") {
    return fmt::format("{} name=pay{} pt={} {}", element, index, payload_type, more);
  };
  const int dynamic = 96 + static_cast<int>(index);
  switch (track.codec) {  // -1: parameter sets before every key frame, as cameras do
    case Codec::kH264:
      return named("rtph264pay", dynamic, "config-interval=-1");
    case Codec::kHevc:
      return named("rtph265pay", dynamic, "config-interval=-1");
    case Codec::kMpeg4:
      return named("rtpmp4vpay", dynamic);
    case Codec::kMjpeg:
      return named("rtpjpegpay", 26);
    case Codec::kAac:
      return named("rtpmp4gpay", dynamic);
    case Codec::kOpus:
      return named("rtpopuspay", dynamic);
    case Codec::kPcma:
      return named("rtppcmapay", 8, "max-ptime=40000000");
    case Codec::kPcmu:
      return named("rtppcmupay", 0, "max-ptime=40000000");
  }
  return {};
}

}  // namespace gopline::camera
