#pragma once
#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "common/base/stop_signal.h"

namespace gopline::splitter {

// The bound in bytes of a queue that is itself unbounded. Thread-safe.
class ByteBudget {
 public:
  explicit ByteBudget(std::size_t limit) : limit_(limit) {}

  // Waits until `bytes` fit, or until nothing else is held (so that one piece larger than the whole budget
  // still passes). False when `stop` came first.
  bool acquire(std::size_t bytes, const StopToken& stop) {
    std::unique_lock lock(mutex_);
    bool fits = room_.wait(lock, stop, [&] { return held_ == 0 || held_ + bytes <= limit_; });
    if (fits) held_ += bytes;
    return fits;
  }

  void release(std::size_t bytes) {
    std::lock_guard lock(mutex_);
    held_ -= bytes;
    room_.notify_one();
  }

 private:
  std::size_t limit_;
  std::size_t held_ = 0;
  std::mutex mutex_;
  std::condition_variable_any room_;
};

}  // namespace gopline::splitter
