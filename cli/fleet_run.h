#pragma once
#include <deque>
#include <string>

#include "cli/command.h"
#include "cli/fleet_config.h"
#include "cli/progress.h"
#include "cli/split_report.h"
#include "cli/telemetry.h"
#include "common/base/result.h"
#include "common/log/log.h"

namespace gopline::cli {

// Runs the cameras of a file until the environment's stop, or until all have ended by themselves. The file is
// read again on SIGHUP and when it changes: what changed is restarted. A file that is wrong at the beginning
// is the error; one that becomes wrong is told, and what runs goes on as it is.
Result<std::deque<SplitTask>> run_fleet(Log& log, const std::string& config, const FleetBase& base,
                                        const Environment& environment, ProgressBoard& board,
                                        Telemetry& telemetry);

}  // namespace gopline::cli
