#include "common/media/init_writer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <list>

#include "common/bytes/big_endian.h"
#include "common/media/access_point.h"
#include "common/media/av_convert.h"
#include "common/media/boxes.h"

namespace gopline::media {
namespace {

bool is_g711(const Track& track) {
  return track.codec.codec == "pcm_alaw" || track.codec.codec == "pcm_mulaw";
}

// libavformat writes these sample entries from a packet's own header, so it wants to see one before the moov.
bool needs_first_packet(const Track& track) {
  return track.codec.codec == "ac3" || track.codec.codec == "eac3";
}

std::uint32_t fourcc(std::string_view text) {
  return static_cast<std::uint32_t>(MKTAG(text[0], text[1], text[2], text[3]));
}

// The track as libavformat's mp4 muxer is to see it.
Result<AvCodecParametersPtr> parameters_for_init(const Track& track, const InitHints& hints) {
  GOPLINE_ASSIGN(auto parameters, to_av_parameters(track.codec));
  parameters->codec_tag = 0;
  if (track.codec.codec == "hevc")
    parameters->codec_tag = fourcc(hints.in_band_parameter_sets ? "hev1" : "hvc1");
  if (is_g711(track))
    parameters->codec_id = AV_CODEC_ID_MP3;  // a stand-in whose sample entry is replaced below
  if (parameters->extradata_size == 0 && (track.codec.codec == "h264" || track.codec.codec == "hevc")) {
    ByteWriter annexb;
    for (auto nal : parameter_sets_in(track, hints.first_packet)) {
      annexb.u32(1);
      annexb.raw(nal);
    }
    if (annexb.size() == 0)
      return fail(ErrorCode::kUnsupported, "track {}: no parameter sets at the first access point", track.id);
    parameters->extradata =
        static_cast<std::uint8_t*>(av_mallocz(annexb.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    parameters->extradata_size = static_cast<int>(annexb.size());
    std::memcpy(parameters->extradata, annexb.bytes().data(), annexb.size());
  }
  return parameters;
}

struct DynamicBuffer {
  AVIOContext* io = nullptr;
  ~DynamicBuffer() {
    if (io) take();
  }
  std::vector<std::uint8_t> take() {
    std::uint8_t* bytes = nullptr;
    int size = avio_close_dyn_buf(io, &bytes);
    io = nullptr;
    std::vector<std::uint8_t> out(bytes, bytes + size);
    av_free(bytes);
    return out;
  }
};

// What libavformat writes before the first fragment.
Result<std::vector<std::uint8_t>> write_with_libavformat(const std::vector<Track>& tracks,
                                                         const std::vector<InitHints>& hints) {
  AVFormatContext* raw = nullptr;
  if (int code = avformat_alloc_output_context2(&raw, nullptr, "mp4", nullptr); code < 0)
    return fail_av(code, "mp4 muxer");
  AvOutputPtr output(raw);
  output->flags |= AVFMT_FLAG_BITEXACT;
  output->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    AVStream* stream = avformat_new_stream(output.get(), nullptr);
    if (!stream) return fail(ErrorCode::kInternal, "out of memory");
    GOPLINE_ASSIGN(auto parameters, parameters_for_init(tracks[i], hints[i]));
    avcodec_parameters_copy(stream->codecpar, parameters.get());
    stream->time_base = to_av(tracks[i].time_base);
    stream->avg_frame_rate = to_av(tracks[i].avg_frame_rate);
    stream->sample_aspect_ratio = to_av(tracks[i].codec.sample_aspect_ratio);
    stream->disposition = tracks[i].disposition;
    to_av_dictionary(tracks[i].metadata, &stream->metadata);
    GOPLINE_TRY(set_stream_side_data(*stream, tracks[i].side_data));
  }
  DynamicBuffer buffer;
  if (avio_open_dyn_buf(&buffer.io) < 0) return fail(ErrorCode::kInternal, "out of memory");
  output->pb = buffer.io;
  bool late_moov = std::ranges::any_of(tracks, needs_first_packet);
  AvDictionary options;
  av_dict_set(
      &options.entries, "movflags",
      late_moov ? "frag_custom+default_base_moof+delay_moov" : "frag_custom+default_base_moof+empty_moov", 0);
  av_dict_set(&options.entries, "use_editlist", "0", 0);
  // A time code among the metadata would become a track that no fragment belongs to.
  av_dict_set(&options.entries, "write_tmcd", "0", 0);
  int code = avformat_write_header(output.get(), &options.entries);
  if (code < 0) return fail_av(code, "libavformat cannot describe these tracks in MP4");
  if (late_moov) {
    for (std::size_t i = 0; i < tracks.size(); ++i) {
      auto packet = hints[i].first_packet;
      packet.track = static_cast<int>(i);
      packet.dts = packet.pts = 0;
      packet.duration = std::max<std::int64_t>(packet.duration, 1);
      GOPLINE_ASSIGN(auto av, to_av_packet(packet, true));
      av_write_frame(output.get(), av.get());
    }
    av_write_frame(output.get(), nullptr);
  }
  avio_flush(output->pb);
  output->pb = nullptr;
  return buffer.take();
}

// A box with the few containers on the way to what is changed opened up.
struct Box {
  std::string type;
  std::vector<std::uint8_t> payload;  // of leaves
  std::list<Box> children;            // of containers

  Box* child(std::string_view name) {
    auto found = std::ranges::find(children, name, &Box::type);
    return found == children.end() ? nullptr : &*found;
  }
  void write(ByteWriter& out) const {
    auto begin = out.size();
    out.u32(0);
    out.text(type);
    out.raw(payload);
    for (const auto& box : children) box.write(out);
    out.patch_u32(begin, static_cast<std::uint32_t>(out.size() - begin));
  }
};

Box parse(const BoxView& view) {
  static constexpr std::array<std::string_view, 5> kContainers{"moov", "trak", "mdia", "minf", "stbl"};
  Box box{std::string(view.type), {}, {}};
  if (std::ranges::find(kContainers, view.type) == kContainers.end()) {
    if (view.type == "uuid") box.payload.assign(view.extended_type.begin(), view.extended_type.end());
    box.payload.insert(box.payload.end(), view.payload.begin(), view.payload.end());
    return box;
  }
  BoxWalker walker(view.payload);
  BoxView child;
  while (walker.next(child)) box.children.push_back(parse(child));
  return box;
}

// AudioSampleEntry (12.2.3) named `ulaw` or `alaw`, 16 bits per sample as QuickTime has it; nothing follows.
std::vector<std::uint8_t> g711_stsd(const Track& track) {
  ByteWriter out;
  out.u32(0);  // version and flags
  out.u32(1);  // entry_count
  out.u32(36);
  out.text(track.codec.codec == "pcm_alaw" ? "alaw" : "ulaw");
  out.raw(std::array<std::uint8_t, 6>{});
  out.u16(1);  // data_reference_index
  out.u64(0);
  int channels = std::max(track.codec.block_align, 1);  // one byte per channel and sample
  out.u16(static_cast<std::uint16_t>(channels));
  out.u16(16);
  out.u32(0);
  out.u32(static_cast<std::uint32_t>(track.codec.sample_rate) << 16);
  return out.take();
}

Result<void> adjust_track(Box& trak, const Track& track, const InitHints& hints) {
  auto* mdia = trak.child("mdia");
  auto* mdhd = mdia ? mdia->child("mdhd") : nullptr;
  auto* minf = mdia ? mdia->child("minf") : nullptr;
  auto* stbl = minf ? minf->child("stbl") : nullptr;
  auto* stsd = stbl ? stbl->child("stsd") : nullptr;
  if (!mdhd || !stsd || mdhd->payload.size() < 24 || stsd->payload.size() < 16) {
    return fail(ErrorCode::kInternal, "track {}: libavformat wrote an init without mdhd or stsd", track.id);
  }
  std::size_t timescale_at = mdhd->payload[0] == 1 ? 20 : 12;
  for (std::size_t i = 0; i < 4; ++i) {
    mdhd->payload[timescale_at + i] = static_cast<std::uint8_t>(track.time_base.den >> (24 - 8 * i));
  }
  std::erase_if(trak.children, [](const Box& box) { return box.type == "edts"; });
  if (is_g711(track)) stsd->payload = g711_stsd(track);
  if (track.codec.codec == "h264" && hints.in_band_parameter_sets) std::memcpy(&stsd->payload[12], "avc3", 4);
  return {};
}

void write_ftyp(ByteWriter& out) {
  out.u32(8 + 8 + 12);
  out.text("ftyp");
  out.text("iso6");
  out.u32(0);
  out.text("iso6iso5mp41");
}

}  // namespace

Result<Buffer> write_init(const std::vector<Track>& tracks, const std::vector<InitHints>& hints) {
  GOPLINE_ASSIGN(auto written, write_with_libavformat(tracks, hints));
  auto view = find_box(written, "moov");
  if (view.type.empty()) return fail(ErrorCode::kInternal, "libavformat wrote no moov");
  auto moov = parse(view);
  std::size_t index = 0;
  for (auto& box : moov.children) {
    if (box.type == "trak" && index < tracks.size()) {
      GOPLINE_TRY(adjust_track(box, tracks[index], hints[index]));
      ++index;
    }
  }
  ByteWriter out;
  write_ftyp(out);
  moov.write(out);
  return Buffer::take(out.take());
}

}  // namespace gopline::media
