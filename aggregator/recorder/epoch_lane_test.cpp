#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregator/recorder/epoch_lane.h"

namespace gopline::aggregator {
namespace {

using ::testing::ElementsAre;
using namespace std::chrono_literals;

class Lane : public ::testing::Test {
 protected:
  LaneSegment segment(std::int64_t number) {
    LaneSegment segment;
    segment.data.headers.segment = SegmentNumber(number);
    segment.data.pinned_bytes = 100;
    segment.offset = Offset(1000 + number);
    return segment;
  }
  record::Gap gap(std::int64_t number) {
    record::Gap gap;
    gap.number = number;
    gap.facts.cause = record::GapCause::kSourceOutage;
    return gap;
  }
  // What is next, in words: segments by their number, gaps by cause, first segment, and how far it goes.
  std::vector<std::string> popped(EpochLane& lane, SteadyTime now = {}) {
    std::vector<std::string> words;
    while (auto item = lane.pop(now)) {
      if (const auto* one = std::get_if<LaneSegment>(&*item)) {
        words.push_back(std::to_string(one->data.headers.segment.value));
        continue;
      }
      const auto& told = std::get<LaneGap>(*item);
      words.push_back(fmt::format("{} to {}", to_string(told.absence.cause), told.next.segment));
    }
    return words;
  }
};

TEST_F(Lane, GivesSegmentsInOrderEachOnce) {
  EpochLane lane(EpochNumber(7), {}, EpochProgress{});
  lane.push(segment(1), {});
  EXPECT_THAT(popped(lane), ElementsAre());
  EXPECT_EQ(lane.oldest_offset(), Offset(1001));
  lane.push(segment(0), {});
  lane.push(segment(0), {});
  EXPECT_THAT(popped(lane), ElementsAre("0", "1"));
  lane.push(segment(1), {});
  EXPECT_THAT(popped(lane), ElementsAre());
  EXPECT_TRUE(lane.empty());
  EXPECT_EQ(lane.oldest_offset(), std::nullopt);
}

TEST_F(Lane, BeginsWithWhateverComesFirstUnlessItIsToldWhere) {
  EpochLane joined(EpochNumber(7), {}, std::nullopt);
  joined.push(segment(41), {});
  EXPECT_THAT(popped(joined), ElementsAre("41"));
  EpochLane resumed(EpochNumber(7), {}, EpochProgress{40, 0});
  resumed.push(segment(39), {});
  resumed.push(segment(41), {});
  EXPECT_THAT(popped(resumed, SteadyTime(30s)), ElementsAre("lost to 41", "41"));
}

TEST_F(Lane, WaitsForWhatIsMissingAsLongAsPatienceLasts) {
  EpochLane lane(EpochNumber(7), {10s, 1 << 20}, EpochProgress{});
  lane.push(segment(2), SteadyTime(1s));
  EXPECT_THAT(popped(lane, SteadyTime(10s)), ElementsAre());
  EXPECT_THAT(popped(lane, SteadyTime(11s)), ElementsAre("lost to 2", "2"));
}

TEST_F(Lane, GivesUpEarlierWhenTooMuchWaitsOrNothingMoreComes) {
  EpochLane full(EpochNumber(7), {10s, 150}, EpochProgress{});
  full.push(segment(1), {});
  full.push(segment(2), {});
  EXPECT_THAT(popped(full), ElementsAre("lost to 1", "1", "2"));
  EpochLane ended(EpochNumber(7), {10s, 1 << 20}, EpochProgress{});
  ended.push(segment(3), {});
  ended.end();
  EXPECT_THAT(popped(ended), ElementsAre("lost to 3", "3"));
}

TEST_F(Lane, AGapThatIsStatedStandsBeforeTheNextSegment) {
  EpochLane lane(EpochNumber(7), {}, EpochProgress{});
  lane.push(segment(0), {});
  lane.push(segment(2), {});
  lane.state(gap(0), Offset(1500));
  lane.state(gap(0), Offset(1500));
  lane.push(segment(3), {});
  EXPECT_THAT(popped(lane), ElementsAre("0"));
  EXPECT_EQ(lane.oldest_offset(), Offset(1002));
  lane.push(segment(1), {});
  EXPECT_THAT(popped(lane), ElementsAre("1", "2", "source-outage to 3", "3"));
}

TEST_F(Lane, AGapAtTheEndIsToldAtOnce) {
  EpochLane lane(EpochNumber(7), {}, EpochProgress{});
  lane.push(segment(0), {});
  lane.state(gap(0), Offset(1500));
  EXPECT_THAT(popped(lane), ElementsAre("0", "source-outage to 1"));
}

TEST_F(Lane, TheBeginningOfASegmentComesBeforeTheGapThatIsTheRest) {
  EpochLane lane(EpochNumber(7), {}, EpochProgress{});
  LaneGap rest;
  rest.absence.cause = AbsenceCause::kCorrupt;
  lane.lose(SegmentNumber(0), segment(0), rest, {});
  lane.lose(SegmentNumber(1), std::nullopt, rest, {});
  lane.push(segment(2), {});
  EXPECT_THAT(popped(lane), ElementsAre("0", "corrupt to 1", "corrupt to 2", "2"));
}

TEST_F(Lane, WhatIsDoneIsPassedOver) {
  EpochLane lane(EpochNumber(7), {}, EpochProgress{0, 2});
  lane.push(segment(1), {});
  lane.state(gap(1), Offset(1500));  // told already
  lane.skip_to({5, 2});
  lane.push(segment(4), {});
  EXPECT_THAT(popped(lane), ElementsAre());
  EXPECT_TRUE(lane.is_done(SegmentNumber(4)));
  lane.push(segment(5), {});
  EXPECT_THAT(popped(lane), ElementsAre("5"));
}

}  // namespace
}  // namespace gopline::aggregator
