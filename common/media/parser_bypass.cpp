#include "common/media/parser_bypass.h"

#include <string_view>
#include <vector>

#include "common/media/access_point.h"
#include "common/media/av_convert.h"
#include "common/media/h264_syntax.h"

namespace gopline::media {
namespace {

// So near the end the parser reads along again.
constexpr int kLastPackets = 2;

bool is_mp4(const AVFormatContext& input) {
  return std::string_view(input.iformat->name).starts_with("mov,");
}

// Codecs whose packets libavformat's MP4 demuxer hands out unparsed in any case.
bool is_never_parsed(const AVCodecParameters& codec) {
  switch (codec.codec_id) {
    case AV_CODEC_ID_AAC:
    case AV_CODEC_ID_PCM_ALAW:
    case AV_CODEC_ID_PCM_MULAW:
    case AV_CODEC_ID_PCM_S16LE:
    case AV_CODEC_ID_PCM_S16BE:
    case AV_CODEC_ID_MOV_TEXT:
      return true;
    default:
      return codec.codec_type == AVMEDIA_TYPE_DATA;
  }
}

// The only video track, when it is H.264 and everything beside it is never parsed.
int only_h264(const AVFormatContext& input) {
  int found = -1;
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    const auto& codec = *input.streams[i]->codecpar;
    if (codec.codec_id == AV_CODEC_ID_H264 && found < 0) {
      found = static_cast<int>(i);
    } else if (!is_never_parsed(codec)) {
      return -1;
    }
  }
  return found;
}

// With one reference frame the parser takes every intra picture for a key frame, which NAL units do not tell.
bool has_several_references(const Track& track) {
  bool any = false;
  for (auto nal : parameter_sets_of(track)) {
    if (!is_sequence_parameter_set(track, nal)) continue;
    if (max_num_ref_frames(nal).value_or(0) < 2) return false;
    any = true;
  }
  return any;
}

// Every packet is in the index (no fragments follow, no edit hides any), and the times rise. Otherwise the
// durations are for the parser to find.
bool has_complete_index(AVStream* stream) {
  auto count = avformat_index_get_entries_count(stream);
  if (count <= kLastPackets || count != stream->nb_frames) return false;
  std::int64_t before = INT64_MIN;
  for (int i = 0; i < count; ++i) {
    auto time = avformat_index_get_entry(stream, i)->timestamp;
    if (time <= before) return false;
    before = time;
  }
  return true;
}

// The index has all there is: no fragments with more follow.
bool has_most_of_the_file(const AVFormatContext& input) {
  std::int64_t bytes = 0;
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    for (int entry = avformat_index_get_entries_count(input.streams[i]) - 1; entry >= 0; --entry)
      bytes += avformat_index_get_entry(input.streams[i], entry)->size;
  }
  return bytes > avio_size(input.pb) / 10 * 9;
}

// Whether probing, which reads so many bytes and keeps the packets, ends well before the end.
bool outlasts_probing(const AVFormatContext& input, AVStream* stream) {
  auto last = avformat_index_get_entry(stream, avformat_index_get_entries_count(stream) - 1 - kLastPackets);
  return last->pos > 2 * input.probesize;
}

Track h264_track(const AVStream* stream) {
  Track track;
  track.codec = from_av_parameters(*stream->codecpar);
  return track;
}

// The one stream whose parser finds out nothing that the index does not say; -1: there is none.
int dispensable_parser(const AVFormatContext& input) {
  int index = only_h264(input);
  if (index < 0) return -1;
  auto track = h264_track(input.streams[index]);
  bool is_annexb = is_annexb_extradata(track.codec.extradata.bytes());
  if (is_annexb || !has_several_references(track)) return -1;
  return has_complete_index(input.streams[index]) && has_most_of_the_file(input) ? index : -1;
}

// How the first picture's fields are ordered, which only the parser finds out.
AVFieldOrder first_field_order(AVFormatContext& input, AVStream* stream) {
  constexpr int kMostBytes = 16 << 20;
  const auto* entry = avformat_index_get_entry(stream, 0);
  if (!entry || entry->size <= 0 || entry->size > kMostBytes) return AV_FIELD_UNKNOWN;
  std::vector<std::uint8_t> sample(static_cast<std::size_t>(entry->size) + AV_INPUT_BUFFER_PADDING_SIZE);
  auto before = avio_tell(input.pb);
  bool read = avio_seek(input.pb, entry->pos, SEEK_SET) >= 0 &&
              avio_read(input.pb, sample.data(), entry->size) == entry->size;
  if (avio_seek(input.pb, before, SEEK_SET) < 0 || !read) return AV_FIELD_UNKNOWN;
  AvCodecContextPtr codec(avcodec_alloc_context3(nullptr));
  AvParserPtr parser(av_parser_init(stream->codecpar->codec_id));
  if (!codec || !parser || avcodec_parameters_to_context(codec.get(), stream->codecpar) < 0)
    return AV_FIELD_UNKNOWN;
  parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
  std::uint8_t* out = nullptr;
  int out_size = 0;
  av_parser_parse2(parser.get(), codec.get(), &out, &out_size, sample.data(), entry->size, AV_NOPTS_VALUE,
                   AV_NOPTS_VALUE, entry->pos);
  return parser->field_order;
}

}  // namespace

std::optional<ParserBypass> ParserBypass::begin(AVFormatContext& input, std::int64_t min_bytes) {
  if (!is_mp4(input) || !input.pb || avio_size(input.pb) < min_bytes) return std::nullopt;
  int index = dispensable_parser(input);
  if (index < 0 || !outlasts_probing(input, input.streams[index])) return std::nullopt;
  auto field_order = first_field_order(input, input.streams[index]);
  if (field_order == AV_FIELD_UNKNOWN) return std::nullopt;
  return without_parser(input, index, field_order);
}

std::optional<ParserBypass> ParserBypass::begin_again(AVFormatContext& input) {
  if (!is_mp4(input) || !input.pb) return std::nullopt;
  int index = dispensable_parser(input);
  if (index < 0) return std::nullopt;
  return without_parser(input, index, input.streams[index]->codecpar->field_order);
}

ParserBypass ParserBypass::without_parser(AVFormatContext& input, int stream, AVFieldOrder field_order) {
  input.flags |= AVFMT_FLAG_NOPARSE;
  return {stream, nal_length_size(h264_track(input.streams[stream])), field_order};
}

void ParserBypass::describe(AVFormatContext& input) const {
  input.streams[stream_]->codecpar->field_order = field_order_;
}

void ParserBypass::complete(AVFormatContext& input, AVPacket& packet, std::span<const std::uint8_t> bytes) {
  if (packet.stream_index != stream_ || !(input.flags & AVFMT_FLAG_NOPARSE)) return;
  auto* stream = input.streams[stream_];
  ++read_;
  packet.flags &= AV_PKT_FLAG_DISCARD | AV_PKT_FLAG_CORRUPT;
  if (is_h264_random_access(bytes, length_size_)) packet.flags |= AV_PKT_FLAG_KEY;
  const auto* here = avformat_index_get_entry(stream, read_ - 1);
  const auto* next = avformat_index_get_entry(stream, read_);
  bool in_step = here && here->timestamp == packet.dts;
  if (in_step && next) packet.duration = next->timestamp - here->timestamp;
  // libavformat makes the parser for the next packet that it reads.
  if (!in_step || read_ + kLastPackets >= avformat_index_get_entries_count(stream))
    input.flags &= ~AVFMT_FLAG_NOPARSE;
}

}  // namespace gopline::media
