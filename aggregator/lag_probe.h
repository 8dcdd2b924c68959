#pragma once
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "common/base/clock.h"
#include "common/base/stop_signal.h"
#include "common/base/strong_int.h"
#include "common/log/log.h"

namespace gopline::aggregator {

// Where a partition ends, asked now and then on a thread of its own: a log that is away may not answer for a
// while, and who puts out what has come must not wait for that. Thread-safe.
class LagProbe {
 public:
  // The log outlives it.
  LagProbe(Log& log, TopicPartition where, Duration every);

  // As of the newest answer; nullopt: there was none yet.
  std::optional<Offset> end() const;

 private:
  void run(const StopToken& stop);

  Log& log_;
  const TopicPartition where_;
  const Duration every_;
  mutable std::mutex mutex_;
  std::condition_variable_any wakeup_;
  std::optional<Offset> end_;
  std::jthread thread_;  // uses the others
};

}  // namespace gopline::aggregator
