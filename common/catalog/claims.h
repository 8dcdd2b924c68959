#pragma once
#include <functional>
#include <string>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/record/detection.h"
#include "common/record/segment_headers.h"

namespace gopline::catalog {

// A record that stands for a payload outside of the log.
struct Claim {
  TopicPartition where;
  Offset offset;
  record::SegmentHeaders headers;  // with their dataref
};

// Every claim check that a topic of segments keeps, up to its end as of the call; a topic that is not there
// has none. Goes by the records themselves, because the index may lack those of a writer that died.
Result<void> for_each_claim(Log& log, const std::string& topic, const StopToken& stop,
                            const std::function<Result<void>(const Claim&)>& visit);

// Every event that keeps its thumbnail outside of the log, of a topic of events, likewise.
Result<void> for_each_thumbnail(Log& log, const std::string& topic, const StopToken& stop,
                                const std::function<Result<void>(const record::Detection&)>& visit);

}  // namespace gopline::catalog
