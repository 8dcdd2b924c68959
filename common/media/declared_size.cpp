#include "common/media/declared_size.h"

#include <bit>
#include <cstring>

namespace gopline::media {
namespace {

constexpr std::uint32_t kEbmlHeader = 0x1A45DFA3;
constexpr std::uint32_t kSegment = 0x18538067;

// An element's ID and size (RFC 8794, sections 5 and 6), taken off `bytes`.
struct Element {
  std::uint32_t id = 0;
  std::optional<std::uint64_t> size;  // nullopt: unknown
};

std::optional<std::uint64_t> take_number(std::span<const std::uint8_t>& bytes, std::size_t max_length,
                                         bool keep_marker) {
  if (bytes.empty() || bytes[0] == 0) return std::nullopt;
  auto length = static_cast<std::size_t>(std::countl_zero(bytes[0])) + 1;
  if (length > max_length || length > bytes.size()) return std::nullopt;
  std::uint64_t value = keep_marker ? bytes[0] : bytes[0] & (0xFF >> length);
  for (std::size_t i = 1; i < length; ++i) value = value << 8 | bytes[i];
  bytes = bytes.subspan(length);
  return value;
}

std::optional<Element> take_element(std::span<const std::uint8_t>& bytes) {
  auto id = take_number(bytes, 4, true);
  if (!id) return std::nullopt;
  auto before = bytes.size();
  auto size = take_number(bytes, 8, false);
  if (!size) return std::nullopt;
  auto length = before - bytes.size();
  bool is_unknown = *size == (std::uint64_t{1} << (7 * length)) - 1;  // all ones
  return Element{static_cast<std::uint32_t>(*id), is_unknown ? std::nullopt : size};
}

std::optional<std::uint64_t> ebml_size(std::span<const std::uint8_t> head) {
  auto rest = head;
  auto header = take_element(rest);
  if (!header || header->id != kEbmlHeader || !header->size || *header->size > rest.size())
    return std::nullopt;
  rest = rest.subspan(*header->size);
  auto segment = take_element(rest);
  if (!segment || segment->id != kSegment || !segment->size) return std::nullopt;
  return head.size() - rest.size() + *segment->size;
}

std::optional<std::uint64_t> riff_size(std::span<const std::uint8_t> head) {
  if (head.size() < 8 || std::memcmp(head.data(), "RIFF", 4) != 0) return std::nullopt;
  std::uint32_t size = head[4] | head[5] << 8 | head[6] << 16 | static_cast<std::uint32_t>(head[7]) << 24;
  // Writers that could not go back leave one of these.
  if (size == 0 || size == 0xFFFFFFFF) return std::nullopt;
  return std::uint64_t{size} + 8;
}

}  // namespace

std::optional<std::uint64_t> declared_size(std::span<const std::uint8_t> head) {
  auto size = riff_size(head);
  return size ? size : ebml_size(head);
}

}  // namespace gopline::media
