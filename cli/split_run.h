#pragma once
#include <deque>
#include <vector>

#include "cli/command.h"
#include "cli/live_options.h"
#include "cli/picture_options.h"
#include "cli/progress.h"
#include "cli/source_names.h"
#include "cli/split_report.h"
#include "cli/telemetry.h"
#include "common/log/log.h"

namespace gopline::cli {

// A source on its way into its stream: as a file, as a live source, or as pictures.
struct SourcePlan {
  splitter::SplitOptions split;                       // with source and stream
  std::optional<splitter::LiveOptions> live;          // nullopt: a file
  std::optional<std::string> login = {};              // USER:PASSWORD of a live source whose URL has none
  std::optional<splitter::ImageOptions> images = {};  // pictures, which are neither
};

// What is to be known of the sources that are live, or pictures.
struct LiveSources {
  bool all = false;                  // every source is taken as live, not only those that are by their URL
  splitter::LiveOptions options;     // how they are read
  std::optional<std::string> login;  // USER:PASSWORD of those whose URL has none
  PictureCliOptions pictures;        // of the sources that are pictures
};

SourcePlan plan_of(const NamedSource& source, const splitter::SplitOptions& common, const LiveSources& live);

// Splits one source, on the caller's thread, until its end or until `stop`, and books how it went. `line`:
// its own of the board.
void run_source(Log& log, const SourcePlan& plan, const Clock& clock, StopToken stop, ProgressBoard& board,
                std::size_t line, Telemetry& telemetry, SplitTask& task);

// Splits every source into its stream, each on a thread of its own, and returns when all have ended. `common`
// is what they share: everything but source and stream. A failure is told on the board when it happens and
// stands in the task.
std::deque<SplitTask> split_all(Log& log, const splitter::SplitOptions& common, const LiveSources& live,
                                const std::vector<NamedSource>& sources, const Environment& environment,
                                ProgressBoard& board, Telemetry& telemetry);

}  // namespace gopline::cli
