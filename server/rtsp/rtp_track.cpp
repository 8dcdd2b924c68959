#include "server/rtsp/rtp_track.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/media/annexb.h"

namespace gopline::server {
namespace {

struct Payload {
  std::string_view codec, caps, payloader;
  int type;  // RFC 3551; 0 without `is_static`: a dynamic one
  bool is_static;
  bool has_codec_data;  // what stands beside the packets is needed to decode them
};
// config-interval=-1: parameter sets before every key frame, as cameras do.
constexpr std::array kPayloads{
    Payload{"h264", "video/x-h264,alignment=au", "rtph264pay config-interval=-1", 0, false, true},
    Payload{"hevc", "video/x-h265,alignment=au", "rtph265pay config-interval=-1", 0, false, true},
    Payload{"mpeg4", "video/mpeg,mpegversion=4,systemstream=false", "rtpmp4vpay", 0, false, true},
    Payload{"mjpeg", "image/jpeg", "rtpjpegpay", 26, true, false},
    Payload{"vp8", "video/x-vp8", "rtpvp8pay", 0, false, false},
    Payload{"vp9", "video/x-vp9", "rtpvp9pay", 0, false, false},
    Payload{"aac", "audio/mpeg,mpegversion=4,stream-format=raw", "rtpmp4gpay", 0, false, true},
    Payload{"mp3", "audio/mpeg,mpegversion=1", "rtpmpapay", 14, true, false},
    Payload{"mp2", "audio/mpeg,mpegversion=1", "rtpmpapay", 14, true, false},
    Payload{"opus", "audio/x-opus,channel-mapping-family=0", "rtpopuspay", 0, false, false},
    Payload{"pcm_alaw", "audio/x-alaw", "rtppcmapay max-ptime=40000000", 8, true, false},
    Payload{"pcm_mulaw", "audio/x-mulaw", "rtppcmupay max-ptime=40000000", 0, true, false},
};

const Payload* payload_for(const media::Track& track) {
  const auto* found = std::ranges::find(kPayloads, track.codec.codec, &Payload::codec);
  return found == kPayloads.end() ? nullptr : found;
}

bool has_nal_units(const media::Track& track) {
  return track.codec.codec == "h264" || track.codec.codec == "hevc";
}

bool is_length_prefixed(const media::Track& track) {
  return has_nal_units(track) && track.source_form == media::SourceForm::kMp4 &&
         !media::is_annexb_extradata(track.codec.extradata.bytes());
}

int channels_of(std::string_view layout) {
  if (layout == "mono") return 1;
  if (layout == "stereo") return 2;
  if (layout.starts_with("5.1")) return 6;
  if (layout.starts_with("7.1")) return 8;
  return layout.empty() || layout.front() < '1' || layout.front() > '9' ? 2 : layout.front() - '0';
}

bool has_parameter_sets(std::span<const std::uint8_t> annexb, bool hevc) {
  return std::ranges::any_of(media::nals_of_annexb(annexb), [&](media::Nal nal) {
    constexpr int kH264Sps = 7, kHevcSps = 33;
    return !nal.empty() && (hevc ? ((nal[0] >> 1) & 0x3F) == kHevcSps : (nal[0] & 0x1F) == kH264Sps);
  });
}

MemoryPtr wrapped(Buffer buffer) {
  auto size = buffer.size();
  auto* owner = new Buffer(std::move(buffer));
  auto* bytes = const_cast<std::uint8_t*>(owner->data());  // read-only by its flag
  return MemoryPtr(gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, bytes, size, 0, size, owner,
                                          [](gpointer p) { delete static_cast<Buffer*>(p); }));
}

}  // namespace

bool is_servable(const media::Track& track) {
  return payload_for(track) != nullptr;
}

CapsPtr caps_of(const media::Track& track) {
  const auto& payload = *payload_for(track);
  CapsPtr caps(gst_caps_from_string(std::string(payload.caps).c_str()));
  if (track.codec.type == media::MediaType::kVideo) {
    gst_caps_set_simple(caps.get(), "width", G_TYPE_INT, track.codec.width, "height", G_TYPE_INT,
                        track.codec.height, nullptr);
  } else {
    gst_caps_set_simple(caps.get(), "rate", G_TYPE_INT, track.codec.sample_rate, "channels", G_TYPE_INT,
                        channels_of(track.codec.channel_layout), nullptr);
  }
  bool prefixed = is_length_prefixed(track);
  if (has_nal_units(track)) {
    const char* form = !prefixed ? "byte-stream" : track.codec.codec == "h264" ? "avc" : "hvc1";
    gst_caps_set_simple(caps.get(), "stream-format", G_TYPE_STRING, form, nullptr);
  }
  bool by_caps = payload.has_codec_data && (prefixed || !has_nal_units(track));
  if (by_caps && !track.codec.extradata.empty()) {
    BufferPtr data(gst_buffer_new());
    gst_buffer_append_memory(data.get(), wrapped(track.codec.extradata).release());
    gst_caps_set_simple(caps.get(), "codec_data", GST_TYPE_BUFFER, data.get(), nullptr);
  }
  return caps;
}

std::string payloader_of(const media::Track& track, std::size_t index) {
  const auto& payload = *payload_for(track);
  int type = payload.is_static ? payload.type : 96 + static_cast<int>(index);
  return fmt::format("{} name=pay{} pt={}", payload.payloader, index, type);
}

Result<MemoryPtr> payload_of(const media::Packet& packet, const media::Track& track) {
  if (!has_nal_units(track) || is_length_prefixed(track)) return wrapped(packet.data);
  GOPLINE_ASSIGN(auto annexb, media::to_annexb(packet.data));
  const auto& sets = track.codec.extradata;
  if (!packet.is_key() || sets.empty() || has_parameter_sets(annexb.bytes(), track.codec.codec == "hevc"))
    return wrapped(std::move(annexb));
  std::vector<std::uint8_t> whole(sets.bytes().begin(), sets.bytes().end());
  whole.insert(whole.end(), annexb.bytes().begin(), annexb.bytes().end());
  return wrapped(Buffer::take(std::move(whole)));
}

bool is_same_to_clients(const media::Track& a, const media::Track& b) {
  bool sets_may_change = has_nal_units(a);  // they travel in the stream
  return a.codec.codec == b.codec.codec && a.codec.sample_rate == b.codec.sample_rate &&
         a.codec.channel_layout == b.codec.channel_layout && is_length_prefixed(a) == is_length_prefixed(b) &&
         (sets_may_change || a.codec.extradata == b.codec.extradata);
}

}  // namespace gopline::server
