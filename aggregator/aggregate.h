#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aggregator/selection.h"
#include "aggregator/stream_item.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/payload/blob_source.h"

namespace gopline::aggregator {

class LiveOutput;  // outputs/live_output.h

struct AggregateOptions {
  Selection selection;
  std::string output;  // a path, or "-" for standard output
  std::string format;  // as media::MuxerOptions::format; empty: from the output's extension
  std::vector<std::pair<std::string, std::string>> muxer_options;
  std::size_t read_ahead_bytes = 64 << 20;  // verified segments that wait for the writer
  LiveOutput* receiver = nullptr;           // takes packets instead; `output` is its name in messages
  payload::BlobSource* blobs = nullptr;     // where claim checks are redeemed; nullptr: they are absent
};

struct AggregateProgress {
  std::int64_t segments = 0;
  std::int64_t segments_planned = 0;
  std::uint64_t bytes = 0;          // of segments
  std::uint64_t bytes_planned = 0;  // 0: unknown
  std::optional<Timestamp> time;    // capture time reached
};

// An epoch that went into the output.
struct AggregatedEpoch {
  EpochNumber epoch;
  std::int64_t segments = 0;
  std::int64_t place_us = 0;    // where its start lies in the output
  bool placed_by_clock = true;  // by the difference of capture times; else directly behind the epoch before
  std::optional<record::EndCause> ended;
};

struct AggregateReport {
  std::string format;           // libavformat's name, or "fmp4"
  bool passed_through = false;  // fragments were written untouched
  std::vector<AggregatedEpoch> epochs;
  std::int64_t segments = 0;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;               // of the output
  std::uint64_t payload_bytes_read = 0;  // from the log
  std::uint64_t blob_bytes_read = 0;     // from where claim checks led
  std::vector<Absence> absences;
  std::uint64_t duplicates = 0;       // chunks that came more than once
  std::uint64_t late = 0;             // segments written after a newer epoch had begun
  std::uint64_t foreign_records = 0;  // records under the stream's key that are not ours, or not readable
  std::uint64_t skipped_packets = 0;  // whole packets that no access point precedes, after a gap
  std::uint64_t leading_packets = 0;  // leading pictures of an open GOP at which reading resumed
  bool whole() const { return absences.empty(); }
};

// Puts segments of a stream together into one file or pipe: log -> verified segments -> packets -> container,
// or straight through where the container is fragmented MP4. Reading and verifying happen on a thread of
// their own, `read_ahead_bytes` ahead. After a gap the output goes on at the next access point. Several
// epochs follow each other by capture time; where that would overlap, directly. kNotFound: no such stream,
// epoch or footage; kUnsupported: the container cannot hold the tracks, or the epochs do not fit together. On
// any error there is no output file. `on_progress` is called on the caller's thread, once per segment.
Result<AggregateReport> aggregate(Log& log, const AggregateOptions& options,
                                  const std::function<void(const AggregateProgress&)>& on_progress,
                                  StopToken stop);

}  // namespace gopline::aggregator
