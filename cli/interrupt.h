#pragma once
#include <functional>
#include <memory>

#include "common/base/result.h"
#include "common/base/stop_signal.h"

namespace gopline::cli {

// Turns SIGINT, SIGTERM and SIGHUP into a stop token. The first signal asks for a clean end; a second one
// ends the process at once with exit code 130, as a user who presses Ctrl-C twice means it.
//
// The signals are blocked for the whole process and read from a signalfd by a thread of its own, so no code
// runs in a signal handler and no global is needed. Signals that are ignored when the program starts (nohup,
// a shell's background jobs) stay ignored.
class InterruptWatcher {
 public:
  // To be called before any other thread is started: they inherit the mask. `on_first` runs on the watcher's
  // thread, before the stop is requested.
  static Result<std::unique_ptr<InterruptWatcher>> start(std::function<void()> on_first);

  ~InterruptWatcher();  // joins its thread; the signals stay blocked

  StopToken token() const;

  // From now on SIGHUP calls this, on the watcher's thread, instead of asking for an end. An empty one: as
  // before.
  void on_hangup(std::function<void()> handler);

  bool interrupted() const { return token().stop_requested(); }

 private:
  struct State;
  explicit InterruptWatcher(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace gopline::cli
