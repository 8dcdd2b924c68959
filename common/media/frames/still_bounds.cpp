#include "common/media/frames/still_bounds.h"

#include <cstring>
#include <optional>
#include <vector>

#include "common/bytes/big_endian.h"

namespace gopline::media {
namespace {

// Behind the entropy-coded data that begin at `at`: the next marker that is no restart (ITU-T T.81, B.1.1.3).
std::size_t end_of_scan(std::span<const std::uint8_t> file, std::size_t at) {
  while (at + 1 < file.size()) {
    const auto* found =
        static_cast<const std::uint8_t*>(std::memchr(file.data() + at, 0xFF, file.size() - at - 1));
    if (!found) return file.size();
    at = static_cast<std::size_t>(found - file.data());
    auto next = file[at + 1];
    bool is_data = next == 0 || next == 0xFF || (next >= 0xD0 && next <= 0xD7);
    if (!is_data) return at;
    at += next == 0xFF ? 1 : 2;
  }
  return file.size();
}

// Numbers of a TIFF file, in its own order of bytes (TIFF 6.0, section 2).
class TiffReader {
 public:
  explicit TiffReader(std::span<const std::uint8_t> file) : file_(file), is_little_(file[0] == 'I') {}

  std::optional<std::size_t> number(std::size_t at, std::size_t size) const {
    if (at > file_.size() || size > file_.size() - at) return std::nullopt;
    std::size_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      std::size_t byte = file_[at + (is_little_ ? size - 1 - i : i)];
      value = value << 8 | byte;
    }
    return value;
  }

  // The values of a directory's entry, which are there or where it says. Empty: it is no such entry.
  std::vector<std::size_t> values(std::size_t entry) const {
    constexpr std::size_t kShort = 3, kLong = 4;
    auto type = number(entry + 2, 2), count = number(entry + 4, 4);
    if (!type || !count || (*type != kShort && *type != kLong) || *count > file_.size()) return {};
    std::size_t size = *type == kShort ? 2 : 4;
    auto at = *count * size <= 4 ? std::optional(entry + 8) : number(entry + 8, 4);
    std::vector<std::size_t> out;
    for (std::size_t i = 0; at && i < *count; ++i) {
      auto value = number(*at + i * size, size);
      if (!value) return {};
      out.push_back(*value);
    }
    return out;
  }

 private:
  const std::span<const std::uint8_t> file_;
  const bool is_little_;
};

}  // namespace

bool is_whole_jpeg(std::span<const std::uint8_t> file) {
  constexpr std::uint8_t kEnd = 0xD9, kScan = 0xDA;
  for (std::size_t at = 2; at + 1 < file.size();) {
    if (file[at] != 0xFF) return false;
    auto marker = file[at + 1];
    if (marker == kEnd) return true;
    bool is_alone = marker == 0x01 || marker == 0xFF || (marker >= 0xD0 && marker <= 0xD8);
    if (is_alone) {
      at += marker == 0xFF ? 1 : 2;
      continue;
    }
    if (at + 4 > file.size()) return false;
    at += 2 + (std::size_t{file[at + 2]} << 8 | file[at + 3]);
    if (marker == kScan) at = end_of_scan(file, at);
  }
  return false;
}

bool is_whole_png(std::span<const std::uint8_t> file) {
  for (std::size_t at = 8; at + 12 <= file.size();) {
    ByteReader in(file.subspan(at, 4));
    std::size_t length = in.u32();
    if (length > file.size() - at - 12) return false;
    if (std::memcmp(file.data() + at + 4, "IEND", 4) == 0) return true;
    at += 12 + length;
  }
  return false;
}

bool is_whole_tiff(std::span<const std::uint8_t> file) {
  constexpr std::size_t kStripOffsets = 273, kStripBytes = 279, kTileOffsets = 324, kTileBytes = 325;
  if (file.size() < 8) return false;
  TiffReader tiff(file);
  auto directory = tiff.number(4, 4);
  auto entries = directory ? tiff.number(*directory, 2) : std::nullopt;
  if (!entries) return false;
  std::vector<std::size_t> offsets, sizes;
  for (std::size_t i = 0; i < *entries; ++i) {
    auto at = *directory + 2 + 12 * i;
    auto tag = tiff.number(at, 2);
    if (!tag || !tiff.number(at + 8, 4)) return false;
    if (*tag == kStripOffsets || *tag == kTileOffsets) offsets = tiff.values(at);
    if (*tag == kStripBytes || *tag == kTileBytes) sizes = tiff.values(at);
  }
  if (offsets.empty()) return false;
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    auto size = i < sizes.size() ? sizes[i] : 1;
    if (offsets[i] > file.size() || size > file.size() - offsets[i]) return false;
  }
  return true;
}

}  // namespace gopline::media
