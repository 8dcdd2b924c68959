#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/epoch_analysis.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/reading/claim_fetcher.h"
#include "common/record/markers.h"
#include "common/record/topics.h"

namespace gopline::analyzer {

struct WarmUpRequest {
  record::StreamState stream;
  record::SegmentHeaders before;  // of the segment that is to be analyzed next
  Duration warm_up{};             // at least so much footage, as far as it goes on without a hole
};

// The segments of an epoch that lie before one and lead up to it: from a picture that needs no other, so much
// footage earlier, on without a hole; fewer where the epoch begins, a gap is, or retention has been. Found
// through NS.index, read from NS.segments, and handed to `take` in order, as long as it has no error.
// What cannot be read ends up before the segment, not in an error: the analyzer then knows less.
Result<void> read_warm_up(Log& log, const record::Topics& topics, const WarmUpRequest& request,
                          reading::ClaimFetcher* claims, const StopToken& stop,
                          const std::function<Result<void>(const SegmentToAnalyze&)>& take);

// The last segment before `because` of a stream (of one epoch; nullopt: of the newest), behind which nothing
// has said yet that the footage ends there. nullopt: there is none.
Result<std::optional<record::IndexEntry>> newest_open_segment(Log& log, const record::Topics& topics,
                                                              const record::StreamState& stream,
                                                              std::optional<EpochNumber> epoch,
                                                              Offset because);

// Which of the index entries of one epoch, in order, read_warm_up() reads.
std::vector<record::IndexEntry> choose_warm_up(std::vector<record::IndexEntry> entries,
                                               const record::SegmentHeaders& before, Duration warm_up);

}  // namespace gopline::analyzer
