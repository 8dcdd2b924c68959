#include "server/timeline.h"

#include <gmock/gmock.h>

#include "server/test_rows.h"

namespace gopline::server {
namespace {

TEST(Timeline, what_follows_on_is_one_range) {
  auto timeline = timeline_of({row(1, 0, 0s), row(1, 1, 2s), row(1, 2, 4100ms)}, 0s);
  ASSERT_EQ(timeline.ranges.size(), 1u);
  EXPECT_EQ(timeline.ranges[0].from, kStart);
  EXPECT_EQ(timeline.ranges[0].to, kStart + 6100ms);
  EXPECT_EQ(timeline.ranges[0].segments, 3);
  EXPECT_TRUE(timeline.gaps.empty());
}

TEST(Timeline, what_is_missing_lies_between_ranges_with_its_cause) {
  std::vector<SegmentRow> rows{row(1, 0, 0s), row(1, 2, 4s), row(2, 3, 60s)};
  auto timeline = timeline_of(rows, 0s);
  ASSERT_EQ(timeline.ranges.size(), 3u);
  ASSERT_EQ(timeline.gaps.size(), 2u);
  EXPECT_EQ(timeline.gaps[0].from, kStart + 2s);
  EXPECT_EQ(timeline.gaps[0].to, kStart + 4s);
  EXPECT_EQ(timeline.gaps[0].cause, "lost");
  EXPECT_EQ(timeline.gaps[1].cause, "epoch");
  auto behind = entry(rows[timeline.gaps[1].before]);
  behind->gap = record::GapFacts{record::GapCause::kSourceOutage, kStart, kStart, 77};
  explain(timeline.gaps[1], *behind);
  EXPECT_EQ(timeline.gaps[1].cause, "source-outage");
  EXPECT_EQ(timeline.gaps[1].bytes, 77u);
}

TEST(Timeline, gaps_that_nobody_could_see_do_not_part_ranges) {
  auto timeline = timeline_of({row(1, 0, 0s), row(1, 1, 10s), row(1, 2, 60s)}, 10s);
  EXPECT_EQ(timeline.ranges.size(), 2u);
  EXPECT_EQ(timeline.gaps.size(), 1u);
}

TEST(Timeline, overlapping_epochs_are_not_a_gap) {
  auto timeline = timeline_of({row(1, 0, 0s), row(1, 1, 2s), row(2, 0, 1s)}, 0s);
  EXPECT_EQ(timeline.ranges.size(), 1u);
  EXPECT_EQ(timeline.ranges[0].to, kStart + 4s);
}

TEST(Timeline, of_nothing_is_empty) {
  auto timeline = timeline_of({}, 0s);
  EXPECT_TRUE(timeline.ranges.empty());
  EXPECT_TRUE(timeline.gaps.empty());
}

}  // namespace
}  // namespace gopline::server
