#pragma once
#include <deque>
#include <vector>

#include "cli/command.h"
#include "cli/live_options.h"
#include "cli/progress.h"
#include "cli/source_names.h"
#include "cli/split_report.h"
#include "common/log/log.h"

namespace gopline::cli {

// What is to be known of the sources that are live.
struct LiveSources {
  bool all = false;                  // every source is taken as live, not only those that are by their URL
  splitter::LiveOptions options;     // how they are read
  std::optional<std::string> login;  // USER:PASSWORD of those whose URL has none
};

// Splits every source into its stream, each on a thread of its own, and returns when all have ended. `common`
// is what they share: everything but source and stream. A failure is told on the board when it happens and
// stands in the task.
std::deque<SplitTask> split_all(Log& log, const splitter::SplitOptions& common, const LiveSources& live,
                                const std::vector<NamedSource>& sources, const Environment& environment,
                                ProgressBoard& board);

}  // namespace gopline::cli
