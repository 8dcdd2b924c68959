#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aggregator/selection.h"
#include "aggregator/stream_item.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/payload/blob_source.h"

namespace gopline::aggregator {

struct JoinOptions {
  std::vector<Selection> streams;  // points are capture times
  std::string output, format;      // as AggregateOptions
  payload::BlobSource* blobs = nullptr;
};

struct JoinedStream {
  std::string stream;
  std::size_t first_track = 0, tracks = 0;  // in the output
  std::int64_t segments = 0;
  std::uint64_t packets = 0;
  std::uint64_t skipped = 0;      // packets that cannot be played after a gap
  std::uint64_t placed_anew = 0;  // times that its clock and its media time had come apart
  Timestamp from;                 // capture time of its first packet
  std::vector<Absence> absences;
};

struct JoinReport {
  std::string format;
  Timestamp origin;         // capture time of the output's zero
  std::uint64_t bytes = 0;  // of the output
  std::vector<JoinedStream> streams;
  bool whole() const;
};

struct JoinProgress {
  std::uint64_t bytes = 0;  // of segments
  std::uint64_t bytes_planned = 0;
};

// Several streams as tracks of one file, in step by capture time: the earliest packet of all is the file's
// zero, and every track begins so much later as it was taken later. Nothing is decoded; gaps stay gaps in the
// timestamps. Within an epoch media time decides, as long as capture time agrees to 40 ms; behind a gap, at a
// discontinuity and beyond that a stream is placed anew, and never before what it has had.
// kNotFound: one of the streams has no footage; kUnsupported: the container cannot hold the tracks, or an
// epoch does not fit behind the one before. On any error there is no output file.
Result<JoinReport> join_streams(Log& log, const JoinOptions& options,
                                const std::function<void(const JoinProgress&)>& on_progress, StopToken stop);

}  // namespace gopline::aggregator
