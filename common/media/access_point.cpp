#include "common/media/access_point.h"

#include "common/bytes/big_endian.h"

namespace gopline::media {
namespace {

// nal_unit_type of ITU-T H.264 (table 7-1) and H.265 (table 7-1).
int h264_type(Nal nal) {
  return nal[0] & 0x1F;
}
int hevc_type(Nal nal) {
  return nal[0] >> 1 & 0x3F;
}

constexpr int kH264Idr = 5, kH264Sps = 7, kH264Pps = 8;
constexpr int kHevcIdrWithRadl = 19, kHevcIdrWithoutLeading = 20, kHevcVps = 32, kHevcSps = 33, kHevcPps = 34;

std::vector<Nal> nals_of(const Track& track, const Packet& packet) {
  auto nals = nals_of_length_prefixed(packet.data.bytes(), nal_length_size(track));
  return nals ? *std::move(nals) : std::vector<Nal>();
}

int h264_sap(const std::vector<Nal>& nals) {
  for (auto nal : nals) {
    if (h264_type(nal) == kH264Idr) return 1;
  }
  return 3;
}

int hevc_sap(const std::vector<Nal>& nals) {
  for (auto nal : nals) {
    auto type = hevc_type(nal);
    if (type >= 32) continue;  // not a coded slice
    if (type == kHevcIdrWithoutLeading) return 1;
    if (type == kHevcIdrWithRadl) return 2;
    return 3;
  }
  return 3;
}

// avcC (ISO/IEC 14496-15, 5.3.3.1): SPS and PPS behind 16-bit lengths.
std::vector<Nal> sets_of_avcc(std::span<const std::uint8_t> extradata) {
  std::vector<Nal> sets;
  ByteReader in(extradata);
  in.skip(5);
  for (int mask : {0x1F, 0xFF}) {
    for (int count = in.u8() & mask; count > 0 && in.ok(); --count) {
      if (auto nal = in.raw(in.u16()); !nal.empty()) sets.push_back(nal);
    }
  }
  return sets;
}

// hvcC (ISO/IEC 14496-15, 8.3.3.1): arrays of NAL units.
std::vector<Nal> sets_of_hvcc(std::span<const std::uint8_t> extradata) {
  std::vector<Nal> sets;
  ByteReader in(extradata);
  in.skip(22);
  for (int arrays = in.u8(); arrays > 0 && in.ok(); --arrays) {
    in.skip(1);
    for (int count = in.u16(); count > 0 && in.ok(); --count) {
      if (auto nal = in.raw(in.u16()); !nal.empty()) sets.push_back(nal);
    }
  }
  return sets;
}

bool is_parameter_set(const Track& track, Nal nal) {
  if (track.codec.codec == "h264") return h264_type(nal) == kH264Sps || h264_type(nal) == kH264Pps;
  return hevc_type(nal) >= kHevcVps && hevc_type(nal) <= kHevcPps;
}

bool has_nals(const Track& track) {
  return track.codec.codec == "h264" || track.codec.codec == "hevc";
}

}  // namespace

int nal_length_size(const Track& track) {
  if (track.source_form == SourceForm::kAnnexB) return 4;
  auto extradata = track.codec.extradata.bytes();
  if (track.codec.codec == "h264" && extradata.size() > 4) return (extradata[4] & 3) + 1;
  if (track.codec.codec == "hevc" && extradata.size() > 21) return (extradata[21] & 3) + 1;
  return 4;
}

int sap_type(const Track& track, const Packet& packet) {
  if (!packet.is_key()) return 0;
  if (track.codec.codec == "h264") return h264_sap(nals_of(track, packet));
  if (track.codec.codec == "hevc") return hevc_sap(nals_of(track, packet));
  return 1;
}

std::vector<Nal> parameter_sets_in(const Track& track, const Packet& packet) {
  std::vector<Nal> sets;
  if (!has_nals(track)) return sets;
  for (auto nal : nals_of(track, packet)) {
    if (is_parameter_set(track, nal)) sets.push_back(nal);
  }
  return sets;
}

bool is_sequence_parameter_set(const Track& track, Nal nal) {
  if (track.codec.codec == "h264") return h264_type(nal) == kH264Sps;
  return hevc_type(nal) == kHevcVps || hevc_type(nal) == kHevcSps;
}

std::vector<Nal> parameter_sets_of(const Track& track) {
  auto extradata = track.codec.extradata.bytes();
  if (!has_nals(track) || extradata.empty()) return {};
  if (is_annexb_extradata(extradata)) return nals_of_annexb(extradata);
  return track.codec.codec == "h264" ? sets_of_avcc(extradata) : sets_of_hvcc(extradata);
}

}  // namespace gopline::media
