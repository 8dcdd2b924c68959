#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/entry_cache.h"
#include "server/segment_rows.h"

// When a stream was recorded, and why not.
namespace gopline::server {

struct RecordedRange {
  Timestamp from, to;
  std::int64_t segments = 0;
};

struct TimelineGap {
  Timestamp from, to;
  std::string cause;        // as gap records spell it, or "epoch": another run began, or "lost"
  std::uint64_t bytes = 0;  // dropped; 0: unknown
  std::size_t before = 0;   // index of the row behind the gap
};

struct Timeline {
  std::vector<RecordedRange> ranges;
  std::vector<TimelineGap> gaps;
};

// What rows in playing order say. Absences shorter than `resolution` do not part a range. Causes are guesses
// by numbers ("epoch", "lost") until explain().
Timeline timeline_of(const std::vector<SegmentRow>& rows, Duration resolution);

// Takes the cause from the entry of the row behind the gap, where its writer told.
void explain(TimelineGap& gap, const record::IndexEntry& entry);

}  // namespace gopline::server
