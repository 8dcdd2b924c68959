#pragma once
#include <cstdint>
#include <string>

#include "aggregator/selection.h"
#include "cli/annotations.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/payload/blob_source.h"

namespace gopline::cli {

struct AnnotateOptions {
  aggregator::Selection selection;
  std::string target;  // the stream that is made
  payload::BlobSource* blobs = nullptr;
};

struct AnnotateReport {
  std::int64_t pictures = 0;
  std::int64_t marked = 0;  // with anything drawn into them
  std::int64_t segments = 0;
  std::int64_t epochs = 0;
  std::int64_t gaps = 0;         // of what was read; behind each another epoch begins
  std::int64_t undecodable = 0;  // packets
};

// Stored footage, with what was found in it drawn into its pictures, as a stream of its own: H.264, without
// sound, a picture at the capture time of each of the source's. An epoch for each uninterrupted part of it.
// Draws with the packets in between, so the whole of it never is in memory.
Result<AnnotateReport> annotate_stream(Log& log, const Clock& clock, const Annotations& annotations,
                                       const AnnotateOptions& options, const StopToken& stop);

}  // namespace gopline::cli
