#include "server/timeline.h"

#include <algorithm>

namespace gopline::server {
namespace {

// What two segments in a row may lie apart by: a sample's duration, or a clock that was corrected.
constexpr Duration kSeam = std::chrono::milliseconds(200);

}  // namespace

Timeline timeline_of(const std::vector<SegmentRow>& rows, Duration resolution) {
  Timeline timeline;
  auto tolerance = std::max(resolution, kSeam);
  const SegmentRow* before = nullptr;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& row = rows[i];
    auto& ranges = timeline.ranges;
    bool goes_on = before && row.time <= ranges.back().to + tolerance && row.time >= ranges.back().from;
    if (goes_on) {
      ranges.back().to = std::max(ranges.back().to, row.end());
    } else {
      if (before && row.time > ranges.back().to) {
        bool same_epoch = row.epoch == before->epoch;
        timeline.gaps.push_back({ranges.back().to, row.time, same_epoch ? "lost" : "epoch", 0, i});
      }
      ranges.push_back({row.time, row.end(), 0});
    }
    ++ranges.back().segments;
    before = &row;
  }
  return timeline;
}

void explain(TimelineGap& gap, const record::IndexEntry& entry) {
  if (!entry.gap) return;
  gap.cause = record::to_string(entry.gap->cause);
  gap.bytes = entry.gap->bytes;
}

}  // namespace gopline::server
