#pragma once
#include "cli/stream_ledger.h"
#include "cli/verify_report.h"
#include "common/catalog/stream_directory.h"
#include "common/log/log.h"

namespace gopline::cli {

// Holds NS.index to what the segments themselves said: one entry for each, equal to it in every member;
// hourly records that sum up right. Reads the stream's partition of NS.index once.
Result<void> check_index(Log& log, const record::Topics& topics, const record::StreamState& state,
                         const StreamLedger& ledger, StopToken stop, VerifyReport& report);

// Holds the stream's record in NS.streams to the ledger.
void check_state(const record::StreamState& state, const StreamLedger& ledger, const std::string& topic,
                 VerifyReport& report);

}  // namespace gopline::cli
