#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"

namespace CLI {
class App;
}

namespace gopline::cli {

// What a command runs with.
struct Environment {
  const Clock& clock;
  StopToken stop;            // Ctrl-C
  std::string_view program;  // the path this program was started by
  // Has SIGHUP call a function, which may come from any thread, instead of ending the program. Empty: cannot.
  std::function<void(std::function<void()>)> on_hangup = {};
};

// What the command line asked for: runs it and returns the exit code.
using Action = std::function<int(const Environment&)>;

// Each declares one subcommand with its options, and sets `chosen` when the command line names it.
void add_split_command(CLI::App& root, Action& chosen);
void add_check_config_command(CLI::App& root, Action& chosen);
void add_aggregate_command(CLI::App& root, Action& chosen);
void add_record_command(CLI::App& root, Action& chosen);
void add_analyze_command(CLI::App& root, Action& chosen);
void add_ask_command(CLI::App& root, Action& chosen);
void add_events_command(CLI::App& root, Action& chosen);
void add_annotate_command(CLI::App& root, Action& chosen);
void add_put_command(CLI::App& root, Action& chosen);
void add_get_command(CLI::App& root, Action& chosen);
void add_streams_command(CLI::App& root, Action& chosen);
void add_inspect_command(CLI::App& root, Action& chosen);
void add_verify_command(CLI::App& root, Action& chosen);
void add_blobs_command(CLI::App& root, Action& chosen);
void add_serve_command(CLI::App& root, Action& chosen);
void add_user_command(CLI::App& root, Action& chosen);
void add_demo_command(CLI::App& root, Action& chosen);
void add_bench_command(CLI::App& root, Action& chosen);
void add_advise_command(CLI::App& root, Action& chosen);

}  // namespace gopline::cli
