#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace gopline::cli {

void add_advise_command(CLI::App&, Action&) {}

}  // namespace gopline::cli
