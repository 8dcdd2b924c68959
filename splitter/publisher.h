#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/base/strong_int.h"
#include "common/log/log.h"
#include "common/media/segment.h"
#include "common/media/types.h"
#include "common/payload/blob_store.h"
#include "common/payload/strategy.h"
#include "common/record/markers.h"
#include "common/record/vocabulary.h"

namespace gopline::splitter {

using record::CaptureClock;
using record::EndCause;
using record::GapCause;

struct PublisherOptions {
  std::string topic_namespace = "gopline";
  std::string stream;
  media::SourceInfo source;
  std::vector<media::Track> tracks;
  std::string init_xxh3;
  CaptureClock clock = CaptureClock::kFile;
  bool sha256 = false;                       // --digest sha256
  std::size_t max_pending_bytes = 32 << 20;  // handed to the log and not acknowledged; publish() waits beyond
  std::size_t max_record_bytes = 0;          // split into chunks above this; 0: the topic's limit
  std::size_t parts_per_chunk =
      0;                        // a chunk ends after so many fragments (multi-part); 0: one chunk if it fits
  std::string writer;           // UUID of this run; empty: a random one
  std::int32_t partitions = 8;  // of topics that are made now
  Retention segment_retention;  // of topics that are made now
  StopToken stop;               // of the run: from then on a log that is away is not waited for long
  bool compress = false;        // segments shrink: a log that compresses does so
  payload::StrategySettings payload;    // how segments travel
  payload::BlobStore* blobs = nullptr;  // where claim checks go; outlives the publisher. nullptr: nowhere
  std::string content_type;             // of an epoch without tracks: its segments are opaque bytes
  // Called with every segment that is acknowledged, in order, on a thread of the publisher's: look and
  // return.
  std::function<void(const record::IndexEntry&)> on_acknowledged;
  std::optional<record::Continuation> continues;  // the epoch of which this one is the rest
};

// What became of an epoch's payloads, by strategy.
struct StrategyUse {
  std::int64_t payloads = 0;
  std::uint64_t bytes = 0;
  std::uint64_t smallest = 0, largest = 0;
  std::string reason;  // of the newest
};
using StrategyUses = std::map<payload::Strategy, StrategyUse>;

struct EpochSummary {
  EpochNumber epoch;
  Ordinal first_ordinal;
  std::int64_t segments = 0;  // acknowledged
  std::uint64_t bytes = 0;    // acknowledged
  bool late = false;          // a newer epoch has begun meanwhile: the rest is written as history
  StrategyUses strategies;    // of what was handed over
};

// Of epochs one after the other: what came of all of them, and the newest one's number.
void add_epoch(EpochSummary& sum, const EpochSummary& more);

// Writes one epoch of one stream: epoch.started, segments as chunks, gaps, epoch.ended, the index and
// NS.streams; ordered, every acknowledgement awaited (docs/record-format.md, section 4). Used from one
// thread; acknowledgements come from the log's and are handled inside.
class Publisher {
 public:
  virtual ~Publisher() = default;  // without close(): the epoch stays open, as if the writer had died

  // Opens the next epoch. `log` keeps segments, index and streams. Both must outlive the publisher.
  static Result<std::unique_ptr<Publisher>> open(Log& log, const Clock& clock, PublisherOptions options);

  // Hands a segment to the log; returns before it is acknowledged. `capture_time` of its first main packet at
  // its pts. Blocks under the writer's backpressure. An earlier delivery failure is returned here. Parts of a
  // segment come one by one and in order, and leave as chunks; the capture time is the first one's. A gap, or
  // another segment's beginning, leaves one whose last part has not come unfinished.
  virtual Result<void> publish(const media::BuiltSegment& segment, Timestamp capture_time,
                               StopToken stop) = 0;

  // Whose clock the capture times of the segments from now on are by; before that, the options'.
  virtual void use_clock(CaptureClock clock) = 0;

  // Capture time at which the stream's footage ended before this epoch; nullopt: it had none.
  virtual std::optional<Timestamp> previous_end() const = 0;

  virtual Result<void> gap(GapCause cause, Timestamp from, Timestamp to, std::uint64_t bytes) = 0;

  // Waits for every acknowledgement, writes what is left of the index, and ends the epoch with its cause.
  // What was handed over and not acknowledged is a gap of cause `lost` before that, if the log still takes
  // it; then the error is what the log said.
  virtual Result<EpochSummary> close(EndCause cause) = 0;

  virtual EpochSummary summary() const = 0;  // so far
};

}  // namespace gopline::splitter
