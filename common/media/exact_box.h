#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "common/base/result.h"
#include "common/bytes/big_endian.h"
#include "common/bytes/buffer.h"

// The exact box: what a source says of its packets and MP4 cannot (docs/record-format.md, "Exact box"). A
// `uuid` box (ISO/IEC 14496-12, 4.2 and 11.1), last child of its `moof`.
namespace gopline::media {

enum class ExactKind : std::uint8_t {
  kDuration = 1,  // s64, ticks: differs from the difference of dts
  kNoPts = 2,     // empty
  kNoDts = 3,     // empty
  kSideData = 4,  // u8 id, bytes
  kFlags = 5,     // u32 AVPacket flags
  kTrueDts = 6,   // s64, ticks
  kTruePts = 7,   // s64, ticks: the composition offset cannot say it
};

struct ExactEntry {
  ExactKind kind{};
  std::uint32_t sample = 0;  // index in the fragment, from 0
  std::span<const std::uint8_t> bytes;
};

struct ExactBox {
  std::int64_t origin = 0;  // source ticks at timeline zero
  std::vector<ExactEntry> entries;
};

// Collects entries and writes the whole box, size and type included. Entries over 65,535 cannot be said:
// add() then returns false, and the caller starts another fragment.
class ExactBoxWriter {
 public:
  explicit ExactBoxWriter(std::int64_t origin) : origin_(origin) {}
  bool add(ExactKind kind, std::uint32_t sample, std::span<const std::uint8_t> bytes = {});
  bool add_s64(ExactKind kind, std::uint32_t sample, std::int64_t value);
  bool add_u32(ExactKind kind, std::uint32_t sample, std::uint32_t value);
  bool add_side_data(std::uint32_t sample, std::uint8_t id, const Buffer& bytes);
  void write(ByteWriter& out) const;

 private:
  std::int64_t origin_;
  std::uint32_t count_ = 0;
  ByteWriter entries_;
};

// Whether a uuid box's 16-byte extended type is the exact box's.
bool is_exact_box_type(std::span<const std::uint8_t> extended_type);

// Parses what follows the extended type. The entries point into `payload`. Unknown kinds are kept; an unknown
// version is kUnsupported; lengths that do not fit are kCorrupt.
Result<ExactBox> read_exact_box(std::span<const std::uint8_t> payload);

}  // namespace gopline::media
