#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/log/log.h"
#include "common/record/markers.h"
#include "common/record/topics.h"
#include "splitter/publisher.h"

namespace gopline::splitter {

// An epoch that is open: its place, its number, and what its stream has used up before.
struct OpenEpoch {
  TopicPartition segments;  // where its records go
  TopicPartition index;
  std::uint64_t max_record_bytes = 0;  // of the segments topic
  record::EpochStarted started;
  EpochNumber number;
  Offset offset;                     // of epoch.started
  std::optional<Ordinal> ordinal;    // highest given out by anyone before
  std::int64_t discontinuities = 0;  // of that segment
  record::StreamState state;         // as NS.streams has it now
};

// Opens the next epoch of a stream: docs/record-format.md, section "Opening an epoch". In order: topics; the
// partition (claimed in NS.streams by a first writer); base and epoch.started; what is left of earlier epochs
// is read, its missing index entries written; NS.streams gets the epoch. Everything is acknowledged when this
// returns.
Result<OpenEpoch> open_epoch(Log& log, LogWriter& writer, const Clock& clock,
                             const PublisherOptions& options);

}  // namespace gopline::splitter
