#pragma once
#include <mutex>
#include <string>

#include "cli/progress.h"
#include "common/base/clock.h"
#include "splitter/live/live_split.h"

namespace gopline::cli {

// What the board says of a live source: its state, pictures and bits a second over the last seconds, what
// waits for the log, outages. Thread-safe.
class LiveRow {
 public:
  explicit LiveRow(const Clock& clock) : clock_(clock) {}

  ProgressState update(const splitter::SourceStatus& status);
  ProgressState update(const splitter::LiveProgress& progress);

 private:
  ProgressState state() const;

  const Clock& clock_;
  std::mutex mutex_;
  splitter::SourceStatus status_;
  splitter::LiveProgress newest_, before_;
  SteadyTime newest_at_{}, before_at_{};  // before: some seconds earlier
};

}  // namespace gopline::cli
