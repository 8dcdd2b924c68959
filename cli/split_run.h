#pragma once
#include <deque>
#include <vector>

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/source_names.h"
#include "cli/split_report.h"
#include "common/log/log.h"

namespace gopline::cli {

// Splits every source into its stream, each on a thread of its own, and returns when all have ended. `common`
// is what they share: everything but source and stream. A failure is told on the board when it happens and
// stands in the task.
std::deque<SplitTask> split_all(Log& log, const splitter::SplitOptions& common,
                                const std::vector<NamedSource>& sources, const Environment& environment,
                                ProgressBoard& board);

}  // namespace gopline::cli
