#pragma once
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"

namespace gopline::cli {

enum class ProgressStyle {
  kNone,   // --quiet
  kLines,  // not a terminal: a line of text per task now and then
  kBars,   // a terminal: a bar per task, redrawn in place
};

// How far a task is.
struct ProgressState {
  std::uint64_t bytes = 0;         // done so far; the rate is theirs
  std::optional<double> fraction;  // of the whole, 0 to 1; nullopt where the end is unknown (a live source)
  Duration media_time{};           // footage done so far
  std::string words{};             // of a live source: these instead of how far and how fast
};

struct ProgressOptions {
  ProgressStyle style = ProgressStyle::kNone;
  int columns = 80;  // of the terminal
  int rows = 24;
};

// One line for each of several tasks that run at the same time: how far, how fast, how long still. Redraws
// when it is told something new, at most ten times a second by the clock, so it needs no thread. Thread-safe.
class ProgressBoard {
 public:
  using Write = std::function<void(std::string_view)>;  // to the terminal; called under the board's lock

  ProgressBoard(const Clock& clock, ProgressOptions options, Write write);

  std::size_t add(std::string name);  // returns the task's number
  void update(std::size_t task, const ProgressState& state);
  void finish(std::size_t task, std::string_view how);  // "done", "failed"

  // Prints a line of its own above the bars.
  void message(std::string_view line);

  // Takes the bars away; nothing is drawn after it but messages.
  void close();

 private:
  struct Task {
    std::string name;
    SteadyTime started;
    ProgressState state;
    std::string finished;  // how; empty while it runs
    SteadyTime last_line;
  };

  void draw(bool now);
  void erase();
  std::string bar_line(const Task& task, int name_cells) const;

  const Clock& clock_;
  const ProgressOptions options_;
  const Write write_;
  std::mutex mutex_;
  std::vector<Task> tasks_;
  int drawn_lines_ = 0;
  bool closed_ = false;
  std::optional<SteadyTime> last_draw_;
};

// The words beside the bar: "45 %  12.3 MB  10.0 MB/s  0:12 left". `elapsed` since the task began.
std::string describe_progress(const ProgressState& state, Duration elapsed);

// Seconds as a person reads a wait: "0:09", "1:02:03".
std::string format_wait(Duration wait);

// "10.0 MB/s"; empty while there is nothing to divide.
std::string format_rate(std::uint64_t bytes, Duration elapsed);

}  // namespace gopline::cli
