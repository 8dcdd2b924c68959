#include "common/bytes/buffer_pool.h"

namespace gopline {
namespace {

// Small blocks are the allocator's business: it does not return their pages.
constexpr std::size_t kSmallestPooled = 64 << 10;

// Sizes in steps of an eighth of their magnitude, so that segments of about the same size find each other's
// blocks.
std::size_t rounded_up(std::size_t size) {
  std::size_t step = 1;
  while (step * 16 <= size) step *= 2;
  return (size + step - 1) / step * step;
}

}  // namespace

BufferPool::Block BufferPool::take(std::size_t size) {
  if (size < kSmallestPooled) {
    return {std::shared_ptr<std::uint8_t[]>(new std::uint8_t[size]), size};
  }
  std::unique_ptr<std::uint8_t[]> memory;
  auto capacity = rounded_up(size);
  {
    std::lock_guard lock(state_->mutex);
    auto found = state_->free.lower_bound(capacity);
    if (found != state_->free.end() && found->first <= 2 * capacity) {
      capacity = found->first;
      memory = std::move(found->second);
      state_->free.erase(found);
      state_->kept -= capacity;
    }
  }
  if (!memory) memory.reset(new std::uint8_t[capacity]);
  auto back = [state = state_, capacity](std::uint8_t* block) { give_back(*state, capacity, block); };
  return {std::shared_ptr<std::uint8_t[]>(memory.release(), std::move(back)), capacity};
}

void BufferPool::give_back(State& state, std::size_t capacity, std::uint8_t* memory) {
  std::unique_ptr<std::uint8_t[]> block(memory);
  std::lock_guard lock(state.mutex);
  if (state.kept + capacity > state.most_kept) return;
  state.kept += capacity;
  state.free.emplace(capacity, std::move(block));
}

}  // namespace gopline
