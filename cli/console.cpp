#include "cli/console.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/display_width.h"
#include "cli/exit_codes.h"

namespace gopline::cli {

void print_result(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void print_note(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void print_error(std::string_view message) {
  // Of a file everything that is wrong with it is said, a line each; none of them is without our name.
  for (;;) {
    auto end = std::min(message.find('\n'), message.size());
    print_note(fmt::format("gopline: {}\n", printable(message.substr(0, end))));
    if (end == message.size()) return;
    message.remove_prefix(end + 1);
  }
}

int report(const Error& error) {
  print_error(error.message);
  return exit_code_for(error);
}

int report_usage(const Error& error, std::string_view command) {
  print_error(error.message);
  print_note(fmt::format("Try 'gopline {} --help'.\n", command));
  return kUsage;
}

Result<void> finish_output() {
  errno = 0;
  bool failed = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (failed && errno != EPIPE)
    return fail_errno(errno == 0 ? EIO : errno, "cannot write to standard output");
  return {};
}

ProgressOptions progress_options(bool quiet) {
  ProgressOptions options;
  const char* terminal = std::getenv("TERM");
  bool draws = isatty(STDERR_FILENO) == 1 && (terminal == nullptr || std::string_view(terminal) != "dumb");
  options.style = quiet ? ProgressStyle::kNone : draws ? ProgressStyle::kBars : ProgressStyle::kLines;
  winsize size{};
  if (draws && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    options.columns = size.ws_col;
    options.rows = size.ws_row;
  }
  return options;
}

}  // namespace gopline::cli
