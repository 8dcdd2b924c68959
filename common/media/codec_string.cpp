// RFC 6381 codecs parameters.
#include <algorithm>
#include <array>

#include "common/bytes/big_endian.h"
#include "common/media/access_point.h"
#include "common/media/types.h"

namespace gopline::media {
namespace {

// The NAL unit without emulation prevention bytes (ITU-T H.265, 7.4.2): 00 00 03 becomes 00 00.
std::vector<std::uint8_t> unescape(Nal nal) {
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i < nal.size(); ++i) {
    bool is_prevention = nal[i] == 3 && i >= 2 && nal[i - 1] == 0 && nal[i - 2] == 0;
    if (!is_prevention) out.push_back(nal[i]);
  }
  return out;
}

// avc1.PPCCLL: profile, constraint flags and level of the sequence parameter set.
std::string h264_codec(const Track& track, std::string_view entry) {
  for (auto nal : parameter_sets_of(track)) {
    if (is_sequence_parameter_set(track, nal) && nal.size() > 3) {
      return fmt::format("{}.{:02x}{:02x}{:02x}", entry, nal[1], nal[2], nal[3]);
    }
  }
  return std::string(entry);
}

// hvc1.[space]profile.compatibility.tier level.constraints (ISO/IEC 14496-15, Annex E.3), from
// profile_tier_level of the SPS.
std::string hevc_codec(const Track& track, std::string_view entry) {
  constexpr int kSps = 33;
  for (auto nal : parameter_sets_of(track)) {
    if ((nal[0] >> 1 & 0x3F) != kSps) continue;
    auto sps = unescape(nal);
    if (sps.size() < 15) continue;
    ByteReader in(std::span<const std::uint8_t>(sps).subspan(
        3));  // NAL header, then sps_max_sub_layers and its neighbours
    auto first = in.u8();
    auto compatibility = in.u32();
    auto constraints = in.raw(6);
    auto level = in.u8();
    std::uint32_t reversed = 0;
    for (int bit = 0; bit < 32; ++bit) reversed |= (compatibility >> bit & 1u) << (31 - bit);
    static constexpr std::array<std::string_view, 4> kSpaces{"", "A", "B", "C"};
    auto text = fmt::format("{}.{}{}.{:x}.{}{}", entry, kSpaces[first >> 6], first & 0x1F, reversed,
                            first & 0x20 ? 'H' : 'L', level);
    auto used = constraints.size();
    while (used > 0 && constraints[used - 1] == 0) --used;
    for (std::size_t i = 0; i < used; ++i) text += fmt::format(".{:x}", constraints[i]);
    return text;
  }
  return std::string(entry);
}

// av01.P.LLT.DD, from av1C (AV1 in ISOBMFF, 2.3.3).
std::string av1_codec(const Track& track) {
  auto extradata = track.codec.extradata.bytes();
  if (extradata.size() < 4 || extradata[0] != 0x81) return "av01";
  int depth = extradata[2] & 0x40 ? (extradata[2] & 0x20 ? 12 : 10) : 8;
  return fmt::format("av01.{}.{:02}{}.{:02}", extradata[1] >> 5, extradata[1] & 0x1F,
                     extradata[2] & 0x80 ? 'H' : 'M', depth);
}

// vp09.PP.LL.DD; a level that the source does not tell is 1.0.
std::string vp9_codec(const Track& track) {
  int depth = track.codec.format.find("12") != std::string::npos   ? 12
              : track.codec.format.find("10") != std::string::npos ? 10
                                                                   : 8;
  return fmt::format("vp09.{:02}.{:02}.{:02}", std::max(track.codec.profile, 0),
                     track.codec.level > 0 ? track.codec.level : 10, depth);
}

// mp4a.40.A with the audio object type of the AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).
std::string aac_codec(const Track& track) {
  auto config = track.codec.extradata.bytes();
  if (config.size() < 2) return "mp4a.40.2";
  int type = config[0] >> 3;
  if (type == 31) type = 32 + ((config[0] & 7) << 3 | config[1] >> 5);
  return fmt::format("mp4a.40.{}", type);
}

}  // namespace

std::string rfc6381_codec(const Track& track, std::string_view sample_entry) {
  const auto& codec = track.codec.codec;
  if (codec == "h264") return h264_codec(track, sample_entry);
  if (codec == "hevc") return hevc_codec(track, sample_entry);
  if (codec == "av1") return av1_codec(track);
  if (codec == "vp9") return vp9_codec(track);
  if (codec == "aac") return aac_codec(track);
  // Object type indications of esds (MP4 registration authority).
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kFixed{
      {{"mp3", "mp4a.6B"},
       {"mp2", "mp4a.6B"},
       {"opus", "opus"},
       {"flac", "fLaC"},
       {"alac", "alac"},
       {"ac3", "ac-3"},
       {"eac3", "ec-3"},
       {"pcm_alaw", "alaw"},
       {"pcm_mulaw", "ulaw"},
       {"mpeg4", "mp4v.20"},
       {"mpeg2video", "mp4v.61"},
       {"mpeg1video", "mp4v.6A"},
       {"mjpeg", "mp4v.6C"},
       {"mov_text", "tx3g"}}};
  auto found = std::ranges::find(kFixed, std::string_view(codec),
                                 &std::pair<std::string_view, std::string_view>::first);
  return found == kFixed.end() ? "" : std::string(found->second);
}

}  // namespace gopline::media
