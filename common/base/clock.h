#pragma once
#include <chrono>
#include <memory>
#include <mutex>

namespace gopline {

using Duration = std::chrono::microseconds;
// Wall-clock time, UTC, in whole microseconds since 1970-01-01 (no leap seconds).
using Timestamp = std::chrono::sys_time<Duration>;
using SteadyTime = std::chrono::steady_clock::time_point;

// Where time comes from. Logic takes a Clock and never asks the operating system, so that tests can run a day
// in a second.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;          // may be stepped by the host
  virtual SteadyTime steady_now() const = 0;  // never goes back
};

class SystemClock final : public Clock {
 public:
  Timestamp now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
  SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
};

// A clock that stands still until it is told to move. Thread-safe.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(Timestamp start = Timestamp(std::chrono::seconds(1'700'000'000))) : now_(start) {}
  Timestamp now() const override {
    std::lock_guard lock(mutex_);
    return now_;
  }
  SteadyTime steady_now() const override {
    std::lock_guard lock(mutex_);
    return steady_;
  }
  void advance(Duration by) {
    std::lock_guard lock(mutex_);
    now_ += by;
    steady_ += by;
  }
  void step_wall_clock(Duration by) {
    std::lock_guard lock(mutex_);
    now_ += by;
  }

 private:
  mutable std::mutex mutex_;
  Timestamp now_;
  SteadyTime steady_{};
};

}  // namespace gopline
