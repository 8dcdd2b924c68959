#pragma once
#include <string_view>

#include "common/base/result.h"

namespace gopline::cli {

// What the shell learns. One table for every command; docs and --help repeat it.
enum ExitCode : int {
  kWhole = 0,          // everything asked for was done, and nothing was missing
  kFailed = 1,         // could not be done, or only for some of the sources; the message says why
  kUsage = 2,          // the command line is wrong; nothing was done
  kNotWhole = 3,       // done, but footage is missing or damaged; what and where was listed
  kInterrupted = 130,  // stopped by SIGINT, SIGTERM or SIGHUP; what was acknowledged is stored
};

inline constexpr std::string_view kExitCodesHelp =
    "Exit codes:\n"
    "  0    done, and the result is whole\n"
    "  1    failed, or failed for one of the sources: the message says why\n"
    "  2    the command line is wrong: nothing was done\n"
    "  3    done, but footage is missing or damaged: what and where is listed\n"
    "  130  interrupted (Ctrl-C, SIGTERM): what was acknowledged is stored";

// kInterrupted when somebody asked to stop, else kFailed.
ExitCode exit_code_for(const Error& error);

}  // namespace gopline::cli
