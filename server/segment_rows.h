#pragma once
#include <mutex>
#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "common/base/rational.h"
#include "common/base/strong_int.h"
#include "common/log/log.h"

namespace gopline::server {

// A segment as the headers of its index entry tell it: what a week of a stream is kept as.
struct SegmentRow {
  Offset entry;  // of the index entry, or of a roll-up that repeats it, in the stream's partition of NS.index
  EpochNumber epoch;
  SegmentNumber segment;
  Ordinal ordinal;
  Timestamp time;     // capture time
  Duration duration;  // of the main track
  bool late = false;

  Timestamp end() const { return time + duration; }
  bool operator==(const SegmentRow&) const = default;
};

// Of a record of NS.index; nullopt: it is no entry of a segment, or its headers are damaged.
std::optional<SegmentRow> row_from(const StoredRecord& stored);

// Of a segment's main track; what is negative or beyond all footage counts as 0 or as very long.
Duration microseconds_of(Rational duration);

// The rows of one stream, in whatever order and how often they come. Thread-safe.
class SegmentRows {
 public:
  // False: it was there.
  bool add(const SegmentRow& row);
  void add(std::vector<SegmentRow> rows);  // many at once

  // What overlaps [from, to), in the order in which it is played: epochs by capture time, each in the order
  // of its numbers; late footage where its capture time puts it.
  std::vector<SegmentRow> between(std::optional<Timestamp> from, std::optional<Timestamp> to) const;

  // The last `count` of what a live viewer sees: nothing late.
  std::vector<SegmentRow> newest(std::size_t count) const;
  std::optional<SegmentRow> find(EpochNumber epoch, SegmentNumber segment) const;

  // Drops entries that the index does not keep any more.
  void forget_before(Offset entry);
  std::size_t size() const;
  Duration longest() const;  // of all durations ever added

 private:
  mutable std::mutex mutex_;
  std::vector<SegmentRow> rows_;  // by (epoch, segment)
  Duration longest_{0};
};

}  // namespace gopline::server
