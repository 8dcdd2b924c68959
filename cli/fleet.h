#pragma once
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cli/fleet_config.h"
#include "cli/progress.h"
#include "cli/split_run.h"
#include "cli/telemetry.h"
#include "common/base/clock.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"

namespace gopline::cli {

// The cameras of a configuration, each on a thread of its own. Taking a new configuration ends the cameras
// that are gone or said otherwise, and starts those that are new or said otherwise; the rest does not notice.
// For one thread.
class Fleet {
 public:
  // All must outlive the fleet.
  Fleet(Log& log, const Clock& clock, ProgressBoard& board, Telemetry& telemetry)
      : log_(log), clock_(clock), board_(board), telemetry_(telemetry) {}
  ~Fleet();  // stops and joins

  struct Change {
    std::vector<std::string> started, restarted, stopped;  // streams
  };
  Change take(const std::vector<CameraConfig>& cameras);

  enum class Wake { kAllEnded, kWoken, kTime, kStopped };
  // Waits until every camera has ended by itself, or until woken, or stopped, at most so long.
  Wake wait(const StopToken& stop, Duration most);
  void wake();  // from any thread

  // Ends all and returns how each run went, those of earlier configurations included.
  std::deque<SplitTask> finish();

 private:
  struct Run {
    std::string words;
    SplitTask task;
    StopSource stop;
    std::thread thread;
  };
  void start(const CameraConfig& camera, std::uint64_t waiting_bytes);  // where it does not say
  void end(Run& run);

  Log& log_;
  const Clock& clock_;
  ProgressBoard& board_;
  Telemetry& telemetry_;
  std::deque<std::unique_ptr<Run>> runs_;
  std::deque<SplitTask> ended_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t running_ = 0;
  bool woken_ = false;
};

}  // namespace gopline::cli
