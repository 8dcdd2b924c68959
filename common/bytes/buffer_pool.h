#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>

#include "common/bytes/buffer.h"

namespace gopline {

// Blocks of memory that values are read into, used again as soon as nobody holds a slice of them: touching
// fresh pages costs several times what copying into warm ones does. Keeps at most `most_kept` bytes for
// later. Thread-safe; blocks may outlive the pool.
class BufferPool {
 public:
  explicit BufferPool(std::size_t most_kept) : state_(std::make_shared<State>(most_kept)) {}

  struct Block {
    std::shared_ptr<std::uint8_t[]> memory;
    std::size_t capacity = 0;
    std::span<std::uint8_t> bytes(std::size_t count) const { return {memory.get(), count}; }
    Buffer share(std::size_t offset, std::size_t count) const {
      return {memory, {memory.get() + offset, count}};
    }
  };
  // At least `size` bytes, uninitialised, and at most about twice that.
  Block take(std::size_t size);

 private:
  struct State {
    explicit State(std::size_t most) : most_kept(most) {}
    const std::size_t most_kept;
    std::mutex mutex;
    std::size_t kept = 0;
    std::multimap<std::size_t, std::unique_ptr<std::uint8_t[]>> free;
  };
  static void give_back(State& state, std::size_t capacity, std::uint8_t* memory);
  std::shared_ptr<State> state_;
};

}  // namespace gopline
