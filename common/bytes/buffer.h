#pragma once
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace gopline {

// A slice of immutable bytes and a share in the memory behind it. Copying a Buffer copies no payload; whoever
// holds one keeps the whole allocation alive. Thread-safe as shared_ptr is: distinct Buffers may be used from
// distinct threads.
class Buffer {
 public:
  Buffer() = default;

  // Shares `bytes`, which `owner` keeps alive.
  Buffer(std::shared_ptr<const void> owner, std::span<const std::uint8_t> bytes)
      : owner_(std::move(owner)), bytes_(bytes) {}

  // Takes the vector over, without copying its elements.
  static Buffer take(std::vector<std::uint8_t> bytes) {
    auto owner = std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
    std::span<const std::uint8_t> view(*owner);
    return {std::move(owner), view};
  }

  static Buffer copy(std::span<const std::uint8_t> bytes) { return take({bytes.begin(), bytes.end()}); }
  static Buffer copy(std::string_view text) {
    return copy(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }

  // The `count` bytes from `offset`, in the same memory. The range must lie inside.
  Buffer share(std::size_t offset, std::size_t count) const {
    return {owner_, bytes_.subspan(offset, count)};
  }

  std::span<const std::uint8_t> bytes() const { return bytes_; }
  const std::uint8_t* data() const { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

  // Same content, wherever it lies.
  friend bool operator==(const Buffer& a, const Buffer& b) {
    return a.size() == b.size() && (a.size() == 0 || std::memcmp(a.data(), b.data(), a.size()) == 0);
  }

 private:
  std::shared_ptr<const void> owner_;
  std::span<const std::uint8_t> bytes_;
};

}  // namespace gopline
