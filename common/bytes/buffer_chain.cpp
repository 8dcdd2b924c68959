#include "common/bytes/buffer_chain.h"

#include <algorithm>

namespace gopline {

BufferChain BufferChain::share(std::size_t offset, std::size_t count) const {
  BufferChain out;
  for (const auto& buffer : buffers_) {
    if (count == 0) break;
    if (offset >= buffer.size()) {
      offset -= buffer.size();
      continue;
    }
    auto take = std::min(count, buffer.size() - offset);
    out.append(buffer.share(offset, take));
    count -= take;
    offset = 0;
  }
  return out;
}

Buffer BufferChain::flatten() const {
  if (buffers_.size() == 1) return buffers_.front();
  std::vector<std::uint8_t> all;
  all.reserve(size_);
  for (const auto& buffer : buffers_) all.insert(all.end(), buffer.bytes().begin(), buffer.bytes().end());
  return Buffer::take(std::move(all));
}

Buffer BufferChain::flatten(BufferPool& pool) const {
  if (buffers_.size() == 1) return buffers_.front();
  auto block = pool.take(size_);
  auto* to = block.memory.get();
  for (const auto& buffer : buffers_) to = std::copy_n(buffer.data(), buffer.size(), to);
  return block.share(0, size_);
}

}  // namespace gopline
