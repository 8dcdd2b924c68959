#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "aggregator/selection.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/record/chunk_assembler.h"
#include "common/record/markers.h"

namespace gopline::aggregator {

// Where a segment's chunks lie.
struct PlannedSegment {
  std::map<std::int64_t, Offset> chunks;  // by number
  std::uint64_t bytes = 0;                // 0: unknown
  Timestamp time;                         // capture time of its start
  Timestamp end;                          // and of its end; as `time` when unknown
  int sap = 0;
  bool late = false;
  std::string dataref;                        // where its payload lies instead; empty: in the log
  bool unfinished = false;                    // no last chunk of it is known
  std::vector<record::GapFacts> gaps_before;  // footage that was never written
};

struct PlannedEpoch {
  EpochNumber number;
  std::optional<record::StartedEpoch> started;  // nullopt: not kept any more
  std::optional<record::EpochEnded> ended;
  std::map<std::int64_t, PlannedSegment> segments;
  std::vector<record::GapFacts> gaps_at_end;
  bool from_its_start = true;  // false: segments before the first one here were not asked for
  bool to_its_end = true;
  bool may_go_on = false;  // the newest, and nothing says that it has ended
};

// What is to be read, in the order in which it is to be read.
struct ReadPlan {
  TopicPartition where;
  OffsetRange kept;
  std::vector<PlannedEpoch> epochs;
  std::uint64_t duplicates = 0;       // chunks that lie in the log more than once
  std::uint64_t foreign_records = 0;  // under the stream's key, and not readable as ours

  std::int64_t segments() const;
  std::uint64_t bytes() const;
};

// Finds out what a selection means, without reading a payload. A bounded selection goes by NS.index, and by
// the headers of the records that the index does not know yet; an unbounded one, or one that the index knows
// nothing of, by the headers of the stream's partition. Where the log does not read headers alone
// (Log::reads_headers_alone), an unbounded one goes by NS.index, too, and by the records of which the index
// cannot tell; the plan is the same, but that several gaps before a segment are one, as in the index, and
// that duplicates and foreign records are counted only where it looked. Late epochs stand where their capture
// time puts them, others in the order of their numbers. kNotFound: no such stream, epoch or footage.
Result<ReadPlan> make_plan(Log& log, const Selection& selection, StopToken stop);

}  // namespace gopline::aggregator
