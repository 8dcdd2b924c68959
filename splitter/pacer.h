#pragma once
#include <condition_variable>
#include <mutex>
#include <vector>

#include "common/base/clock.h"
#include "common/base/stop_signal.h"
#include "common/media/types.h"

namespace gopline::splitter {

// Holds packets back until the clock has come as far as their timestamps. For one thread.
//
// To wake a thread costs more than to read a packet. With a `lateness`, a packet that has to wait does so for
// that much longer, and those that are due by then follow it at once; none is ever early.
class Pacer {
 public:
  Pacer(const Clock& clock, const std::vector<media::Track>& tracks, Duration lateness = {})
      : clock_(clock), tracks_(tracks), lateness_(lateness) {}

  // False when stopped.
  bool wait_for(const media::Packet& packet, const StopToken& stop);

 private:
  const Clock& clock_;
  const std::vector<media::Track>& tracks_;
  const Duration lateness_;
  bool started_ = false;
  SteadyTime begin_{};
  Duration first_{};
  std::mutex mutex_;
  std::condition_variable_any wake_;
};

}  // namespace gopline::splitter
