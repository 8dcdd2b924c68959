#include "common/media/h264_syntax.h"

#include <algorithm>
#include <array>

namespace gopline::media {
namespace {

constexpr int kSlice = 1, kIdrSlice = 5, kSei = 6;
constexpr std::uint32_t kRecoveryPoint = 6;  // payloadType

// Bits and Exp-Golomb codes (clause 9.1). Reading past the end yields zeros and makes ok() false.
class BitReader {
 public:
  explicit BitReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool ok() const { return ok_; }

  std::uint32_t bit() {
    if (at_ >= bytes_.size() * 8) {
      ok_ = false;
      return 0;
    }
    auto value = bytes_[at_ / 8] >> (7 - at_ % 8) & 1;
    ++at_;
    return static_cast<std::uint32_t>(value);
  }
  std::uint32_t bits(int count) {
    std::uint32_t value = 0;
    for (; count > 0; --count) value = value << 1 | bit();
    return value;
  }
  std::uint32_t ue() {
    int zeros = 0;
    while (ok_ && bit() == 0) ++zeros;
    if (zeros > 31) ok_ = false;
    return ok_ ? (std::uint32_t{1} << zeros) - 1 + bits(zeros) : 0;
  }
  std::int32_t se() {
    auto code = ue();
    auto half = static_cast<std::int32_t>(code / 2);
    return code % 2 ? half + 1 : -half;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

void skip_scaling_list(BitReader& in, int size) {
  int last = 8, next = 8;
  for (int i = 0; i < size && in.ok(); ++i) {
    if (next != 0) next = (last + in.se() % 256 + 256) % 256;
    if (next != 0) last = next;
  }
}

// What profiles with chroma formats have between seq_parameter_set_id and log2_max_frame_num_minus4.
void skip_chroma_and_scaling(BitReader& in) {
  constexpr std::uint32_t k444 = 3;
  auto chroma_format = in.ue();
  if (chroma_format == k444) in.bit();  // separate_colour_plane_flag
  in.ue();                              // bit_depth_luma_minus8
  in.ue();                              // bit_depth_chroma_minus8
  in.bit();                             // qpprime_y_zero_transform_bypass_flag
  if (!in.bit()) return;                // seq_scaling_matrix_present_flag
  int lists = chroma_format == k444 ? 12 : 8;
  for (int i = 0; i < lists; ++i) {
    if (in.bit()) skip_scaling_list(in, i < 6 ? 16 : 64);
  }
}

bool has_chroma_format(std::uint32_t profile) {
  constexpr std::array<std::uint32_t, 13> kProfiles = {100, 110, 122, 244, 44,  83, 86,
                                                       118, 128, 138, 139, 134, 135};
  return std::find(kProfiles.begin(), kProfiles.end(), profile) != kProfiles.end();
}

void skip_picture_order(BitReader& in) {
  auto type = in.ue();
  if (type == 0) in.ue();  // log2_max_pic_order_cnt_lsb_minus4
  if (type != 1) return;
  in.bit();  // delta_pic_order_always_zero_flag
  in.se();   // offset_for_non_ref_pic
  in.se();   // offset_for_top_to_bottom_field
  for (auto cycle = in.ue(); cycle > 0 && in.ok(); --cycle) in.se();
}

}  // namespace

std::vector<std::uint8_t> rbsp_of(Nal nal, std::size_t most) {
  std::vector<std::uint8_t> out;
  int zeros = 0;
  for (std::size_t i = 1; i < nal.size() && out.size() < most; ++i) {
    if (zeros >= 2 && nal[i] == 3) {
      zeros = 0;
      continue;
    }
    zeros = nal[i] == 0 ? zeros + 1 : 0;
    out.push_back(nal[i]);
  }
  return out;
}

std::optional<std::uint32_t> max_num_ref_frames(Nal sps) {
  auto rbsp = rbsp_of(sps);
  BitReader in(rbsp);
  auto profile = in.bits(8);
  in.bits(16);  // constraint flags, level_idc
  in.ue();      // seq_parameter_set_id
  if (has_chroma_format(profile)) skip_chroma_and_scaling(in);
  in.ue();  // log2_max_frame_num_minus4
  skip_picture_order(in);
  auto frames = in.ue();
  return in.ok() ? std::optional(frames) : std::nullopt;
}

bool has_recovery_point(Nal sei) {
  auto rbsp = rbsp_of(sei);
  std::size_t at = 0;
  auto number = [&] {  // ff_byte* and a last byte
    std::uint32_t value = 0;
    while (at < rbsp.size() && rbsp[at] == 0xFF) value += rbsp[at++];
    return at < rbsp.size() ? value + rbsp[at++] : value;
  };
  // What follows the last message is rbsp_trailing_bits, a byte at most.
  while (at + 2 < rbsp.size()) {
    auto type = number();
    auto size = number();
    if (type == kRecoveryPoint) return true;
    at += size;
  }
  return false;
}

// For every packet that is read: no list of NAL units (nals_of_length_prefixed), and no step beyond the first
// slice.
bool is_h264_random_access(std::span<const std::uint8_t> access_unit, int length_size) {
  bool recovers = false;
  auto prefix = static_cast<std::size_t>(length_size);
  while (access_unit.size() > prefix) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < prefix; ++i) length = length << 8 | access_unit[i];
    access_unit = access_unit.subspan(prefix);
    if (length == 0 || length > access_unit.size()) return false;
    auto nal = access_unit.first(length);
    int type = nal[0] & 0x1F;
    if (type == kIdrSlice) return true;
    if (type == kSlice) return recovers;
    if (type == kSei) recovers = recovers || has_recovery_point(nal);
    access_unit = access_unit.subspan(length);
  }
  return false;
}

}  // namespace gopline::media
