#pragma once
#include <cstdint>
#include <vector>

#include "common/bytes/buffer.h"
#include "common/bytes/buffer_pool.h"

namespace gopline {

// Buffers in a row that are read as one value: how a segment is put together without moving its packets.
class BufferChain {
 public:
  BufferChain() = default;
  explicit BufferChain(Buffer buffer) { append(std::move(buffer)); }

  void append(Buffer buffer) {
    if (buffer.empty()) return;
    size_ += buffer.size();
    buffers_.push_back(std::move(buffer));
  }
  void append(const BufferChain& other) {
    for (const auto& buffer : other.buffers_) append(buffer);
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const std::vector<Buffer>& buffers() const { return buffers_; }

  // The bytes [offset, offset + count) in the same memory. The range must lie inside.
  BufferChain share(std::size_t offset, std::size_t count) const;

  // All bytes in one allocation. A chain of one buffer is shared, not copied.
  Buffer flatten() const;
  Buffer flatten(BufferPool& pool) const;  // in memory of the pool's

 private:
  std::vector<Buffer> buffers_;
  std::size_t size_ = 0;
};

}  // namespace gopline
