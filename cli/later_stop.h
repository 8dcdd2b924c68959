#pragma once
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "common/base/clock.h"
#include "common/base/stop_signal.h"

namespace gopline::cli {

inline constexpr Duration kStopGrace = std::chrono::seconds(5);

// Asks to stop a while after another asked: what is open is finished meanwhile, with a log that answers.
class LaterStop {
 public:
  LaterStop(StopToken first, Duration grace)
      : thread_([this, first = std::move(first), grace](const StopToken& end) {
          std::stop_callback wake(first, [this] {
            std::lock_guard lock(mutex_);
            changed_.notify_all();
          });
          std::unique_lock lock(mutex_);
          changed_.wait(lock, end, [&] { return first.stop_requested(); });
          changed_.wait_for(lock, end, grace, [] { return false; });
          if (!end.stop_requested()) later_.request_stop();
        }) {}
  StopToken token() const { return later_.get_token(); }

 private:
  StopSource later_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread thread_;  // goes first
};

}  // namespace gopline::cli
