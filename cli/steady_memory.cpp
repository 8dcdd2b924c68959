#include "cli/steady_memory.h"

#include <chrono>
#include <stop_token>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace gopline::cli {
namespace {

constexpr std::chrono::seconds kEvery{30};
[[maybe_unused]] constexpr int kArenas = 4;

void give_back() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace

SteadyMemory::SteadyMemory() {
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, kArenas);
#endif
  thread_ = std::jthread([this](const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      wake_.wait_for(lock, stop, kEvery, [] { return false; });
      give_back();
    }
  });
}

}  // namespace gopline::cli
