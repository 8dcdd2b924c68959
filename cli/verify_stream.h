#pragma once
#include <cstdint>
#include <functional>

#include "cli/log_factory.h"
#include "cli/verify_report.h"
#include "common/base/clock.h"
#include "common/base/stop_signal.h"
#include "common/payload/blob_source.h"

namespace gopline::cli {

// Reads every record of the stream, and the payloads that claim checks stand for, and holds all of them to
// one another. `progress` is told the offsets done and the whole. The error is for what stops the reading
// itself; what is wrong with the stream is in the report.
Result<VerifyReport> verify_stream(const OpenedLog& log, const record::StreamState& state, const Clock& clock,
                                   payload::BlobSource& blobs, StopToken stop,
                                   const std::function<void(std::uint64_t bytes, double fraction)>& progress);

}  // namespace gopline::cli
