#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/rational.h"
#include "common/bytes/buffer.h"

// Value types of media, free of libav headers. Units: timestamps are ticks of the track's time base, as in
// FFmpeg.
namespace gopline::media {

enum class MediaType { kVideo, kAudio, kSubtitle, kData };

std::string_view to_string(MediaType type);                  // "video", "audio", "subtitle", "data"
std::optional<MediaType> media_type_from(std::string_view);  // the inverse

// Data that travels with a packet or a track and is not payload: palettes, rotation, skipped samples.
// `id` comes from the table in docs/record-format.md (side_data_ids.h), which is stable, unlike FFmpeg's
// enumeration.
struct SideData {
  std::uint8_t id = 0;
  Buffer bytes;
  bool operator==(const SideData&) const = default;
};

// AVPacket flags, with FFmpeg's values (AV_PKT_FLAG_*), which are stored in the exact box.
namespace packet_flags {
inline constexpr std::uint32_t kKey = 0x01;  // random access point
inline constexpr std::uint32_t kCorrupt = 0x02;
inline constexpr std::uint32_t kDiscard = 0x04;  // decode, do not show (edit lists)
inline constexpr std::uint32_t kTrusted = 0x08;
inline constexpr std::uint32_t kDisposable = 0x10;  // no other picture needs it
}  // namespace packet_flags

// One compressed frame (or audio access unit) of one track. Copying a Packet shares its payload.
struct Packet {
  int track = 0;                    // index into the list of carried tracks
  std::optional<std::int64_t> pts;  // ticks; nullopt: the source does not say
  std::optional<std::int64_t> dts;
  std::int64_t duration = 0;  // ticks; 0: unknown
  std::uint32_t flags = 0;    // packet_flags
  Buffer data;
  std::vector<SideData> side_data;
  // When the sample was taken, by the clock of its source (RTCP sender reports, AV_PKT_DATA_PRFT).
  std::optional<Timestamp> producer_time;
  std::optional<SteadyTime> arrival;  // of a live source: when it was read

  bool is_key() const { return (flags & packet_flags::kKey) != 0; }
};

// AVCodecParameters as a value. Names are FFmpeg's (avcodec_get_name, av_get_pix_fmt_name, av_color_*_name
// ...), because names outlive enumerations. Defaults mean "unknown".
struct CodecParameters {
  MediaType type = MediaType::kData;
  std::string codec;            // "h264", "aac"
  std::uint32_t codec_tag = 0;  // the container's four characters, first one in the low byte
  Buffer extradata;
  std::string format;  // pixel or sample format
  std::int64_t bit_rate = 0;
  int bits_per_coded_sample = 0;
  int bits_per_raw_sample = 0;
  int profile = -99;  // FF_PROFILE_UNKNOWN
  int level = -99;
  // video
  int width = 0;
  int height = 0;
  Rational sample_aspect_ratio{0, 1};
  std::string field_order, color_range, color_primaries, color_transfer, color_space, chroma_location;
  int video_delay = 0;
  // audio
  std::string channel_layout;  // av_channel_layout_describe
  int sample_rate = 0;
  int block_align = 0;
  int frame_size = 0;
  int initial_padding = 0;
  int trailing_padding = 0;
  int seek_preroll = 0;

  bool operator==(const CodecParameters&) const = default;
};

// How samples lay in the source. Segments always carry length-prefixed NAL units and raw access units.
enum class SourceForm {
  kMp4,     // already so (or a codec that has only one form): carried byte for byte
  kAnnexB,  // NAL units behind start codes: converted, and converted back on output
  kAdts,    // AAC behind ADTS headers: headers dropped, AudioSpecificConfig made from the first
};

std::string_view to_string(SourceForm form);  // "mp4", "annexb", "adts"
std::optional<SourceForm> source_form_from(std::string_view);

// One elementary stream that gopline carries.
struct Track {
  int id = 0;            // track_ID: 1 + index among the carried tracks
  int source_index = 0;  // stream index in the source
  Rational time_base{1, 1};
  CodecParameters codec;  // as the source has it (kAnnexB: extradata with start codes), but for kAdts: with
                          // the AudioSpecificConfig
  SourceForm source_form = SourceForm::kMp4;
  Rational avg_frame_rate{0, 1};
  Rational r_frame_rate{0, 1};
  std::optional<std::int64_t> start_time;       // ticks, as the container declares or libavformat finds
  std::optional<std::int64_t> duration;         // ticks
  int disposition = 0;                          // AV_DISPOSITION_*
  std::vector<SideData> side_data;              // display matrix, mastering display, ...
  std::map<std::string, std::string> metadata;  // language, title, handler_name ...
};

// What the container says of itself, beside its tracks.
struct SourceInfo {
  std::string name;                           // for messages and for epoch.started; secrets removed
  std::string format;                         // libavformat's name: "mov,mp4,m4a,3gp,3g2,mj2"
  std::optional<std::int64_t> start_time_us;  // earliest time of the carried tracks: what a remux makes zero
  std::optional<std::int64_t> duration_us;
  std::optional<std::uint64_t> size_bytes;
  bool timestamps_may_jump = false;  // AVFMT_TS_DISCONT: MPEG-TS, MPEG-PS ...
  std::map<std::string, std::string> metadata;
};

// Index of the main track: the first video, else the first audio, else 0.
int main_track_of(const std::vector<Track>& tracks);

// RFC 6381 codecs parameter of one track as carried: "avc3.64001f", "mp4a.40.2"; empty when there is none.
// `sample_entry` is the four characters of the init's sample entry.
std::string rfc6381_codec(const Track& track, std::string_view sample_entry);

}  // namespace gopline::media
