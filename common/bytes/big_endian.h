#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/bytes/buffer.h"

namespace gopline {

// Appends integers most significant byte first, as ISO base media files have them. Grows; never fails.
class ByteWriter {
 public:
  void u8(std::uint8_t v) { bytes_.push_back(v); }
  void u16(std::uint16_t v) { number(v, 2); }
  void u24(std::uint32_t v) { number(v, 3); }
  void u32(std::uint32_t v) { number(v, 4); }
  void u64(std::uint64_t v) { number(v, 8); }
  void s32(std::int32_t v) { u32(static_cast<std::uint32_t>(v)); }
  void s64(std::int64_t v) { u64(static_cast<std::uint64_t>(v)); }
  void raw(std::span<const std::uint8_t> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void text(std::string_view characters) {
    bytes_.insert(bytes_.end(), characters.begin(), characters.end());
  }
  void reserve(std::size_t count) { bytes_.reserve(count); }

  std::size_t size() const { return bytes_.size(); }
  // Overwrites four bytes written earlier: sizes and offsets that are known only at the end.
  void patch_u32(std::size_t at, std::uint32_t v) {
    for (int i = 0; i < 4; ++i)
      bytes_[at + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(v >> (24 - 8 * i));
  }

  std::vector<std::uint8_t> take() { return std::move(bytes_); }
  std::span<const std::uint8_t> bytes() const { return bytes_; }

 private:
  void number(std::uint64_t v, int count) {
    for (int shift = 8 * (count - 1); shift >= 0; shift -= 8)
      bytes_.push_back(static_cast<std::uint8_t>(v >> shift));
  }
  std::vector<std::uint8_t> bytes_;
};

// Reads integers most significant byte first from untrusted bytes. Reading past the end yields zeros and
// makes ok() false for good, so that a parser checks once, after a group of fields.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u24() { return static_cast<std::uint32_t>(number(3)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  std::int32_t s32() { return static_cast<std::int32_t>(u32()); }
  std::int64_t s64() { return static_cast<std::int64_t>(u64()); }
  // The next `count` bytes, shared with the input; empty when there are not so many.
  std::span<const std::uint8_t> raw(std::size_t count) {
    if (count > left()) {
      ok_ = false;
      at_ = bytes_.size();
      return {};
    }
    at_ += count;
    return bytes_.subspan(at_ - count, count);
  }
  void skip(std::size_t count) { raw(count); }

  bool ok() const { return ok_; }
  std::size_t position() const { return at_; }
  std::size_t left() const { return bytes_.size() - at_; }

 private:
  std::uint64_t number(std::size_t count) {
    std::uint64_t v = 0;
    for (auto byte : raw(count)) v = v << 8 | byte;
    return v;
  }
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace gopline
