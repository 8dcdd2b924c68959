#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aggregator/index_coverage.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/record/chunk_assembler.h"
#include "common/record/markers.h"
#include "common/record/segment_headers.h"

namespace gopline::aggregator {

// A segment as its chunks' headers tell it.
struct SurveyedSegment {
  std::map<std::int64_t, Offset> chunks;
  record::SegmentHeaders headers;  // of the newest chunk
  bool complete() const {
    return headers.last_chunk && static_cast<std::int64_t>(chunks.size()) == headers.chunk + 1;
  }
};

struct SurveyedEpoch {
  std::optional<record::StartedEpoch> started;
  std::optional<record::EpochEnded> ended;
  std::vector<std::pair<Offset, record::Gap>> gaps;
  std::map<std::int64_t, SurveyedSegment> segments;
};

struct Survey {
  std::map<EpochNumber, SurveyedEpoch> epochs;
  std::uint64_t duplicates = 0;
  std::uint64_t foreign_records = 0;
};

// Reads the headers of one stream's records from an offset to the end of a partition, and the values of its
// markers.
Result<Survey> survey(Log& log, const TopicPartition& where, const std::string& stream, Offset from,
                      StopToken stop);

// The same of the records that the index does not tell of.
Result<Survey> survey(Log& log, const TopicPartition& where, const std::string& stream,
                      IndexCoverage coverage, StopToken stop);

}  // namespace gopline::aggregator
