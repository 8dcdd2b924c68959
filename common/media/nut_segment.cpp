#include "common/media/nut_segment.h"

#include <algorithm>
#include <limits>

#include "common/bytes/big_endian.h"
#include "common/media/annexb.h"
#include "common/media/av.h"
#include "common/media/av_convert.h"

// The stored form of what MP4 cannot hold: docs/record-format.md, "NUT segments". libavformat writes and
// reads the NUT file, so that any player plays it; the exact-data stream, the last one, repeats for every
// packet what NUT rounds or leaves out.
namespace gopline::media {
namespace {

constexpr std::uint8_t kExactVersion = 1;
constexpr std::uint32_t kExactTag = MKTAG('g', 'p', 'X', 'B');
// NUT's tables do not know TIFF, and a stream without a tag is refused. Players take its codec by word of
// mouth: ffmpeg -c:v tiff -i RECORD.
constexpr std::uint32_t kTiffTag = MKTAG('t', 'i', 'f', 'f');
constexpr std::uint8_t kNoPts = 1;
constexpr std::uint8_t kNoDts = 2;
constexpr std::size_t kEntryBytes = 1 + 1 + 3 * 8 + 4 + 2;
constexpr int kReadBufferBytes = 1 << 16;

struct Placed {
  const TimedPacket* timed;
  int track;
  std::int64_t pts;  // timeline ticks
};

// All packets of the segment by their time; packets of equal time in the order of runs.
std::vector<Placed> in_file_order(const Segment& segment, const std::vector<Track>& tracks) {
  std::vector<Placed> placed;
  for (const auto& run : segment.runs) {
    auto num = tracks[static_cast<std::size_t>(run.track)].time_base.num;
    for (const auto& timed : run.packets)
      placed.push_back({&timed, run.track, (timed.pts - run.origin) * num});
  }
  std::ranges::stable_sort(placed, {}, [&](const Placed& p) {
    return Rational{p.timed->time, tracks[static_cast<std::size_t>(p.track)].time_base.den};
  });
  return placed;
}

Buffer exact_data(const std::vector<Placed>& placed) {
  ByteWriter out;
  out.reserve(5 + placed.size() * kEntryBytes);
  out.u8(kExactVersion);
  out.u32(static_cast<std::uint32_t>(placed.size()));
  for (const auto& each : placed) {
    const auto& packet = each.timed->packet;
    out.u8(static_cast<std::uint8_t>(each.track));
    out.u8(static_cast<std::uint8_t>((packet.pts ? 0 : kNoPts) | (packet.dts ? 0 : kNoDts)));
    out.s64(packet.pts.value_or(0));
    out.s64(packet.dts.value_or(0));
    out.s64(packet.duration);
    out.u32(packet.flags);
    out.u16(static_cast<std::uint16_t>(packet.side_data.size()));
    for (const auto& side : packet.side_data) {
      out.u8(side.id);
      out.u32(static_cast<std::uint32_t>(side.bytes.size()));
      out.raw(side.bytes.bytes());
    }
  }
  return Buffer::take(out.take());
}

tl::unexpected<Error> corrupt(std::string_view what) {
  return fail(ErrorCode::kCorrupt, "NUT segment: {}", what);
}

// The packets that the exact data describe, without payloads.
Result<std::vector<Packet>> parse_exact_data(const Buffer& data, std::size_t tracks) {
  ByteReader in(data.bytes());
  if (auto version = in.u8(); in.ok() && version != kExactVersion) {
    return fail(ErrorCode::kUnsupported, "NUT segment: exact data of version {}; a newer gopline reads them",
                version);
  }
  std::size_t count = in.u32();
  if (!in.ok() || count > in.left() / kEntryBytes) return corrupt("exact data cut short");
  std::vector<Packet> packets(count);
  for (auto& packet : packets) {
    packet.track = in.u8();
    auto bits = in.u8();
    auto pts = in.s64();
    auto dts = in.s64();
    if (!(bits & kNoPts)) packet.pts = pts;
    if (!(bits & kNoDts)) packet.dts = dts;
    packet.duration = in.s64();
    packet.flags = in.u32();
    std::size_t side_count = in.u16();
    for (std::size_t i = 0; i < side_count && in.ok(); ++i) {
      auto id = in.u8();
      std::size_t length = in.u32();
      packet.side_data.push_back({id, Buffer::copy(in.raw(length))});
    }
    if (!in.ok()) return corrupt("exact data cut short");
    if (static_cast<std::size_t>(packet.track) >= tracks) return corrupt("exact data of an unknown track");
  }
  return packets;
}

// libavformat's I/O over memory, for reading.
class MemoryInput {
 public:
  explicit MemoryInput(const Buffer& bytes) : bytes_(bytes) {
    auto* buffer = static_cast<std::uint8_t*>(av_malloc(kReadBufferBytes));
    if (buffer) context_.reset(avio_alloc_context(buffer, kReadBufferBytes, 0, this, &read, nullptr, &seek));
  }
  AVIOContext* context() const { return context_.get(); }

 private:
  static int read(void* self, std::uint8_t* to, int size) {
    auto& in = *static_cast<MemoryInput*>(self);
    auto count = std::min(static_cast<std::size_t>(size), in.bytes_.size() - in.at_);
    if (count == 0) return AVERROR_EOF;
    std::copy_n(in.bytes_.data() + in.at_, count, to);
    in.at_ += count;
    return static_cast<int>(count);
  }
  static std::int64_t seek(void* self, std::int64_t offset, int whence) {
    auto& in = *static_cast<MemoryInput*>(self);
    auto size = static_cast<std::int64_t>(in.bytes_.size());
    if (whence == AVSEEK_SIZE) return size;
    if (whence == SEEK_CUR) offset += static_cast<std::int64_t>(in.at_);
    if (whence == SEEK_END) offset += size;
    if (offset < 0 || offset > size) return AVERROR(EINVAL);
    in.at_ = static_cast<std::size_t>(offset);
    return offset;
  }

  const Buffer& bytes_;
  std::size_t at_ = 0;
  AvIoContextPtr context_;
};

// Writes one NUT file into memory.
class NutWriter {
 public:
  explicit NutWriter(const std::vector<Track>& tracks)
      : tracks_(tracks), last_dts_(tracks.size() + 1, kBefore) {}
  NutWriter(const NutWriter&) = delete;
  NutWriter& operator=(const NutWriter&) = delete;
  ~NutWriter() {
    if (!context_ || !context_->pb) return;
    std::uint8_t* bytes = nullptr;
    avio_close_dyn_buf(context_->pb, &bytes);
    av_free(bytes);
  }

  Result<void> open() {
    AVFormatContext* raw = nullptr;
    if (int code = avformat_alloc_output_context2(&raw, nullptr, "nut", nullptr); code < 0)
      return fail_av(code, "NUT");
    context_.reset(raw);
    raw->flags |= AVFMT_FLAG_BITEXACT;
    for (const auto& track : tracks_) GOPLINE_TRY(add_stream(track));
    AVStream* exact = avformat_new_stream(raw, nullptr);
    if (!exact) return fail(ErrorCode::kInternal, "out of memory");
    exact->codecpar->codec_type = AVMEDIA_TYPE_DATA;
    exact->codecpar->codec_tag = kExactTag;
    exact->time_base = {1, 1000};
    if (int code = avio_open_dyn_buf(&raw->pb); code < 0) return fail_av(code, "NUT");
    if (int code = avformat_write_header(raw, nullptr); code < 0)
      return fail_av(code, "NUT cannot hold these tracks");
    return {};
  }

  Result<void> write(const Placed& placed) {
    const auto& track = tracks_[static_cast<std::size_t>(placed.track)];
    Packet packet = placed.timed->packet;
    if (track.source_form == SourceForm::kAnnexB && !packet.data.empty()) {
      GOPLINE_ASSIGN(packet.data,
                     to_annexb(packet.data));  // else no player could read it: NUT keeps the source's form
    }
    packet.side_data.clear();
    GOPLINE_ASSIGN(auto out, to_av_packet(packet, packet.data.empty()));
    AVRational ticks{1, static_cast<int>(track.time_base.den)};
    return write(*out, placed.track, placed.timed->time, placed.pts, ticks);
  }

  Result<void> write_exact(const Buffer& data, const std::vector<Placed>& placed) {
    Packet packet;
    packet.data = data;
    packet.flags = packet_flags::kKey;
    GOPLINE_ASSIGN(auto out, to_av_packet(packet, false));
    std::int64_t time = 0;
    AVRational ticks{1, 1000};
    if (!placed.empty()) {
      time = placed.back().timed->time;
      ticks.den = static_cast<int>(tracks_[static_cast<std::size_t>(placed.back().track)].time_base.den);
    }
    return write(*out, static_cast<int>(tracks_.size()), time, time, ticks);
  }

  Result<Buffer> finish() {
    if (int code = av_write_trailer(context_.get()); code < 0) return fail_av(code, "NUT");
    std::uint8_t* bytes = nullptr;
    int size = avio_close_dyn_buf(context_->pb, &bytes);
    context_->pb = nullptr;
    if (!bytes) return fail(ErrorCode::kInternal, "out of memory");
    return Buffer(std::shared_ptr<const void>(bytes, [](std::uint8_t* p) { av_free(p); }),
                  std::span<const std::uint8_t>(bytes, static_cast<std::size_t>(size)));
  }

 private:
  static constexpr std::int64_t kBefore = -1;

  Result<void> add_stream(const Track& track) {
    AVStream* stream = avformat_new_stream(context_.get(), nullptr);
    if (!stream) return fail(ErrorCode::kInternal, "out of memory");
    GOPLINE_ASSIGN(auto parameters, to_av_parameters(track.codec));
    unsigned other = 0;
    const auto* tags = context_->oformat->codec_tag;
    bool fits = av_codec_get_id(tags, parameters->codec_tag) == parameters->codec_id ||
                av_codec_get_tag2(tags, parameters->codec_id, &other) == 0;
    if (!fits) parameters->codec_tag = 0;
    bool is_unknown = parameters->codec_id == AV_CODEC_ID_TIFF && parameters->codec_tag == 0;
    if (is_unknown) parameters->codec_tag = kTiffTag;
    if (avcodec_parameters_copy(stream->codecpar, parameters.get()) < 0)
      return fail(ErrorCode::kInternal, "out of memory");
    stream->time_base = {1, static_cast<int>(track.time_base.den)};
    stream->avg_frame_rate = to_av(track.avg_frame_rate);
    return {};
  }

  // NUT wants times from zero on, dts that grow, and pts not before dts: exact times are elsewhere.
  Result<void> write(AVPacket& packet, int stream, std::int64_t time, std::int64_t pts, AVRational ticks) {
    auto base = context_->streams[stream]->time_base;
    auto& last = last_dts_[static_cast<std::size_t>(stream)];
    packet.dts = std::max(av_rescale_q(time, ticks, base), last + 1);
    packet.pts = std::max(av_rescale_q(pts, ticks, base), packet.dts);
    packet.duration = 0;
    packet.stream_index = stream;
    last = packet.dts;
    if (int code = av_write_frame(context_.get(), &packet); code < 0) return fail_av(code, "NUT");
    return {};
  }

  const std::vector<Track>& tracks_;
  std::vector<std::int64_t> last_dts_;
  AvOutputPtr context_;
};

// The payloads of a NUT file in file order, and the exact data.
struct NutContent {
  std::vector<std::pair<int, Buffer>> payloads;  // stream index, bytes
  std::optional<Buffer> exact;
};

Result<NutContent> read_nut(const Buffer& segment, std::size_t tracks) {
  MemoryInput input(segment);
  AVFormatContext* raw = avformat_alloc_context();
  if (!raw || !input.context()) {
    avformat_free_context(raw);
    return fail(ErrorCode::kInternal, "out of memory");
  }
  raw->pb = input.context();
  raw->flags |= AVFMT_FLAG_NOPARSE | AVFMT_FLAG_NOFILLIN | AVFMT_FLAG_IGNIDX;
  if (int code = avformat_open_input(&raw, "", av_find_input_format("nut"), nullptr); code < 0) {
    return corrupt("no NUT file: " + av_error_text(code));
  }
  AvInputPtr context(raw);
  if (context->nb_streams != tracks + 1 || context->streams[tracks]->codecpar->codec_tag != kExactTag) {
    return corrupt("its streams are not the epoch's tracks");
  }
  NutContent content;
  AvPacketPtr packet(av_packet_alloc());
  int code = 0;
  while ((code = av_read_frame(context.get(), packet.get())) >= 0) {
    auto payload = from_av_packet(*packet, packet->stream_index).data;
    if (static_cast<std::size_t>(packet->stream_index) == tracks) {
      content.exact = std::move(payload);
    } else {
      content.payloads.emplace_back(packet->stream_index, std::move(payload));
    }
    av_packet_unref(packet.get());
  }
  if (code != AVERROR_EOF) return corrupt(av_error_text(code));
  return content;
}

}  // namespace

Result<BufferChain> write_nut_segment(const Segment& segment, const std::vector<Track>& tracks) {
  if (tracks.size() > std::numeric_limits<std::uint8_t>::max()) {
    return fail(ErrorCode::kUnsupported, "{} tracks are too many for one stream", tracks.size());
  }
  NutWriter writer(tracks);
  GOPLINE_TRY(writer.open());
  auto placed = in_file_order(segment, tracks);
  for (const auto& each : placed) GOPLINE_TRY(writer.write(each));
  GOPLINE_TRY(writer.write_exact(exact_data(placed), placed));
  GOPLINE_ASSIGN(auto bytes, writer.finish());
  return BufferChain(std::move(bytes));
}

Result<std::vector<Packet>> read_nut_segment(const Buffer& segment, const std::vector<Track>& tracks) {
  GOPLINE_ASSIGN(auto content, read_nut(segment, tracks.size()));
  if (!content.exact) return corrupt("the exact data are missing");
  GOPLINE_ASSIGN(auto packets, parse_exact_data(*content.exact, tracks.size()));
  if (packets.size() != content.payloads.size()) return corrupt("packets are missing");
  for (std::size_t i = 0; i < packets.size(); ++i) {
    auto& [track, payload] = content.payloads[i];
    if (track != packets[i].track) return corrupt("packets are not in their order");
    bool annexb = tracks[static_cast<std::size_t>(track)].source_form == SourceForm::kAnnexB;
    packets[i].data = annexb ? to_length_prefixed(payload) : std::move(payload);
  }
  return packets;
}

}  // namespace gopline::media
