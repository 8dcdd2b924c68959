#include <malloc.h>

#include <csignal>
#include <cstdlib>
#include <exception>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "common/media/av_log.h"

namespace gopline::cli {
namespace {

constexpr const char* kDescription =
    "gopline splits video into a log and puts it back together, exactly.\n\n"
    "  source ─ split ─▶ segments in a log (a folder or Kafka) ─ aggregate ─▶ mp4, mkv, ts, nut\n";

constexpr const char* kMainExamples =
    "  gopline split lobby.mp4 door.mkv          cut two files into two streams of ./gopline-data\n"
    "  gopline streams                           what is there\n"
    "  gopline aggregate lobby --output out.mp4  put one back together\n"
    "  gopline record --streams '*' -d videos    all streams into files, as they are made\n"
    "  gopline analyze --analyzer motion         look for motion in all of them\n"
    "  gopline put report.csv --stream reports   any other file, of any size; 'get' brings it back\n"
    "  gopline serve                             see and play it all at http://127.0.0.1:8080\n"
    "  gopline verify lobby                      check every byte of it\n"
    "  gopline demo                              all of this, shown on sample clips\n\n"
    "'gopline COMMAND --help' explains a command.\n";

void declare(CLI::App& app, Action& chosen) {
  app.name("gopline");
  app.set_version_flag("--version", "gopline " GOPLINE_VERSION, "Print the version");
  app.require_subcommand(1);
  app.footer("Examples:\n" + std::string(kMainExamples) + "\n" + std::string(kExitCodesHelp));
  add_split_command(app, chosen);
  add_check_config_command(app, chosen);
  add_aggregate_command(app, chosen);
  add_record_command(app, chosen);
  add_analyze_command(app, chosen);
  add_events_command(app, chosen);
  add_annotate_command(app, chosen);
  add_ask_command(app, chosen);
  add_put_command(app, chosen);
  add_get_command(app, chosen);
  add_streams_command(app, chosen);
  add_inspect_command(app, chosen);
  add_verify_command(app, chosen);
  add_blobs_command(app, chosen);
  add_serve_command(app, chosen);
  add_user_command(app, chosen);
  add_demo_command(app, chosen);
  add_bench_command(app, chosen);
  add_advise_command(app, chosen);
}

int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  std::string command = "gopline";
  for (const auto* sub : app.get_subcommands()) command += " " + sub->get_name();
  print_error(error.what());
  print_note("Try '" + command + " --help'.\n");
  return kUsage;
}

// Blocks of a segment's size come and go all the time: freed memory is kept for the next instead of being
// given back to the kernel and asked for again, page by page.
void keep_freed_memory() {
  constexpr int kKept = 64 << 20;
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that glibc takes
  mallopt(M_TRIM_THRESHOLD, kKept);
}

int run_action(const Action& chosen, const char* program) {
  keep_freed_memory();
  media::route_ffmpeg_messages();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is an error of the write that notices it
  std::signal(SIGXFSZ, SIG_IGN);  // so is a file that grows beyond the user's limit
  auto interrupts =
      InterruptWatcher::start([] { print_note("\ngopline: stopping cleanly; once more to stop at once\n"); });
  if (!interrupts) return report(interrupts.error());
  SystemClock clock;
  int code = chosen(Environment{clock, (*interrupts)->token(), program, [&](std::function<void()> handler) {
                                  (*interrupts)->on_hangup(std::move(handler));
                                }});
  if (auto written = finish_output(); !written) return report(written.error());
  return code;
}

int run(int argc, char** argv) {
  Action chosen;
  CLI::App app{kDescription};
  declare(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error);
  }
  return run_action(chosen, argc > 0 ? argv[0] : "gopline");
}

}  // namespace
}  // namespace gopline::cli

int main(int argc, char** argv) {
  try {
    return gopline::cli::run(argc, argv);
  } catch (const std::exception& error) {
    gopline::cli::print_error(std::string("internal error: ") + error.what());
    return gopline::cli::kFailed;
  }
}
