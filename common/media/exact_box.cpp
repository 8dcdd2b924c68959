#include "common/media/exact_box.h"

#include <algorithm>
#include <array>
#include <limits>

namespace gopline::media {
namespace {

// 5d6a2f0e-8c1b-4f7a-9b43-676f706c696e ("goplin" at the end); fixed for ever.
constexpr std::array<std::uint8_t, 16> kType{0x5d, 0x6a, 0x2f, 0x0e, 0x8c, 0x1b, 0x4f, 0x7a,
                                             0x9b, 0x43, 0x67, 0x6f, 0x70, 0x6c, 0x69, 0x6e};
constexpr std::uint8_t kVersion = 1;

}  // namespace

bool ExactBoxWriter::add(ExactKind kind, std::uint32_t sample, std::span<const std::uint8_t> bytes) {
  if (count_ == std::numeric_limits<std::uint16_t>::max()) return false;
  ++count_;
  entries_.u8(static_cast<std::uint8_t>(kind));
  entries_.u32(sample);
  entries_.u32(static_cast<std::uint32_t>(bytes.size()));
  entries_.raw(bytes);
  return true;
}

bool ExactBoxWriter::add_s64(ExactKind kind, std::uint32_t sample, std::int64_t value) {
  ByteWriter number;
  number.s64(value);
  return add(kind, sample, number.bytes());
}

bool ExactBoxWriter::add_u32(ExactKind kind, std::uint32_t sample, std::uint32_t value) {
  ByteWriter number;
  number.u32(value);
  return add(kind, sample, number.bytes());
}

bool ExactBoxWriter::add_side_data(std::uint32_t sample, std::uint8_t id, const Buffer& bytes) {
  ByteWriter payload;
  payload.u8(id);
  payload.raw(bytes.bytes());
  return add(ExactKind::kSideData, sample, payload.bytes());
}

void ExactBoxWriter::write(ByteWriter& out) const {
  out.u32(static_cast<std::uint32_t>(8 + kType.size() + 1 + 8 + 2 + entries_.size()));
  out.text("uuid");
  out.raw(kType);
  out.u8(kVersion);
  out.s64(origin_);
  out.u16(static_cast<std::uint16_t>(count_));
  out.raw(entries_.bytes());
}

bool is_exact_box_type(std::span<const std::uint8_t> extended_type) {
  return std::ranges::equal(extended_type, kType);
}

Result<ExactBox> read_exact_box(std::span<const std::uint8_t> payload) {
  ByteReader in(payload);
  auto version = in.u8();
  if (in.ok() && version != kVersion) {
    return fail(ErrorCode::kUnsupported,
                "exact box of version {}: a newer gopline wrote it; upgrade to read it", version);
  }
  ExactBox box;
  box.origin = in.s64();
  auto count = in.u16();
  for (unsigned i = 0; i < count && in.ok(); ++i) {
    ExactEntry entry;
    entry.kind = static_cast<ExactKind>(in.u8());
    entry.sample = in.u32();
    entry.bytes = in.raw(in.u32());
    box.entries.push_back(entry);
  }
  if (!in.ok() || in.left() != 0) return fail(ErrorCode::kCorrupt, "exact box whose lengths do not add up");
  return box;
}

}  // namespace gopline::media
