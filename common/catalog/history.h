#pragma once
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/log/log.h"
#include "common/record/chunk_assembler.h"
#include "common/record/markers.h"
#include "common/record/topics.h"

// What the log keeps of one stream, by epoch and by capture time.
namespace gopline::catalog {

struct SegmentQuery {
  // Capture times: segments that overlap [from, to).
  std::optional<Timestamp> from, to;
  std::optional<EpochNumber> epoch;
};

// The index entries of a stream that match, without repetitions, ordered by (epoch, segment). Reads NS.index
// only; values of other streams and times are not parsed. A stream without any is an empty list.
Result<std::vector<record::IndexEntry>> find_segments(Log& log, const record::Topics& topics,
                                                      const record::StreamState& stream,
                                                      const SegmentQuery& query = {});

// The epoch.started record at `offset` (IndexEntry::epoch_offset, StreamState::epoch_offset) of a stream.
// When retention has taken it: what NS.streams keeps of the newest epoch, else kNotFound.
Result<record::StartedEpoch> find_epoch(Log& log, const record::Topics& topics,
                                        const record::StreamState& stream, EpochNumber epoch, Offset offset);

// One epoch of a stream as its markers tell it.
struct EpochHistory {
  record::StartedEpoch started;
  std::optional<record::EpochEnded> ended;
  std::vector<record::Gap> gaps;
};

// All epochs whose epoch.started the log still keeps (of the newest: NS.streams), in order. Reads headers of
// NS.segments, and values of markers only.
Result<std::vector<EpochHistory>> read_epochs(Log& log, const record::Topics& topics,
                                              const record::StreamState& stream);

}  // namespace gopline::catalog
