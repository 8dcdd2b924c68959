#include "aggregator/follow/playout.h"

#include <gtest/gtest.h>

#include <vector>

namespace gopline::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr EpochNumber kEpoch{3};
constexpr SteadyTime kBegin{100h};

Piece segment(std::int64_t number, std::int64_t discontinuity = 0, EpochNumber epoch = kEpoch) {
  Piece piece;
  piece.at = {epoch, number, 0};
  piece.sap = 1;
  piece.discontinuity = discontinuity;
  piece.start = number * 2s;
  piece.duration = 2s;
  piece.bytes = 1000;
  return piece;
}

// What a segment of two seconds takes at the least: until it is over.
SteadyTime over(std::int64_t number) {
  return kBegin + (number + 1) * 2s;
}

struct Out {
  SteadyTime at;
  PlayoutItem item;
};

// Everything that is due up to then, each when it was.
std::vector<Out> play_until(Playout& playout, SteadyTime& now, SteadyTime until) {
  std::vector<Out> out;
  for (auto due = playout.next_due(now); due && *due <= until; due = playout.next_due(now)) {
    now = std::max(now, *due);
    auto item = playout.pop(now);
    EXPECT_TRUE(item) << "what is due is there";
    if (!item) break;
    out.push_back({now, std::move(*item)});
  }
  now = until;
  return out;
}

std::int64_t number_of(const Out& out) {
  const auto* piece = std::get_if<PlayoutPiece>(&out.item);
  return piece ? piece->piece.at.segment : -1;
}

TEST(Playout, WithoutJitterASegmentIsDueWhenItComes) {
  Playout playout;
  playout.begin_epoch(kEpoch);
  auto now = kBegin;
  play_until(playout, now, kBegin);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(play_until(playout, now, over(i)).empty());
    playout.push(segment(i), over(i));
    auto out = play_until(playout, now, over(i));
    ASSERT_EQ(out.size(), 1U);
    EXPECT_EQ(number_of(out[0]), i);
  }
  EXPECT_EQ(playout.stats(now).delay, 2s);
  EXPECT_FALSE(playout.next_due(now));
}

// For a file: what follows is due when it is here, and only at a hole is the next one held until its time.
TEST(Playout, WhoKeepsItWaitsOnlyForWhatIsMissing) {
  Playout playout({.paced = false, .delay = {.least = 8s}});
  playout.begin_epoch(kEpoch);
  auto now = kBegin;
  play_until(playout, now, over(3));
  for (int i : {0, 1, 3}) playout.push(segment(i), over(3));
  auto out = play_until(playout, now, over(3));
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(number_of(out[1]), 1);
  ASSERT_TRUE(playout.next_due(now));
  EXPECT_GT(*playout.next_due(now), over(3)) << "segment 2 may still come";
  playout.push(segment(2), over(4));
  now = over(4);
  out = play_until(playout, now, over(4));
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(number_of(out[1]), 3);
}

TEST(Playout, WhatComesInABurstGoesOutAtThePaceOfItsTimeline) {
  Playout playout({.delay = {.least = 8s}});
  playout.begin_epoch(kEpoch);
  auto now = kBegin;
  for (int i = 0; i < 4; ++i) playout.push(segment(i), over(3));
  playout.push(segment(4), over(4));
  auto out = play_until(playout, now, kBegin + 1h);
  ASSERT_EQ(out.size(), 6U);
  for (std::size_t i = 2; i < out.size(); ++i) EXPECT_EQ(out[i].at - out[i - 1].at, 2s);
  EXPECT_EQ(out[1].at, kBegin + 8s);
}

TEST(Playout, ALateSegmentMakesTheDelayGrow) {
  Playout playout;
  playout.begin_epoch(kEpoch);
  playout.push(segment(0), over(0));
  playout.push(segment(1), over(1) + 700ms);
  EXPECT_EQ(playout.stats(over(1) + 700ms).delay, 2700ms);
  auto now = kBegin;
  play_until(playout, now, over(1) + 700ms);
  playout.push(segment(2), over(2));
  auto out = play_until(playout, now, kBegin + 1h);
  ASSERT_EQ(out.size(), 1U);
  // Two seconds behind the one before, less what the delay shrank meanwhile.
  EXPECT_LE(out[0].at, over(2) + 700ms);
  EXPECT_GE(out[0].at, over(2) + 660ms);
}

TEST(Playout, HoldsForWhatIsMissingUntilTheNextIsDue) {
  Playout playout({.delay = {.least = 5s}});
  playout.begin_epoch(kEpoch);
  auto now = kBegin;
  playout.push(segment(0), over(0));
  playout.push(segment(2), over(2));
  auto out = play_until(playout, now, kBegin + 9s - 1us);
  ASSERT_EQ(out.size(), 2U);  // the join, and segment 0
  EXPECT_EQ(out[1].at, over(0) + 3s);
  auto in_time = playout;
  in_time.push(segment(1), now);
  auto then = now;
  out = play_until(in_time, then, kBegin + 1h);
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(number_of(out[0]), 1);
  EXPECT_EQ(number_of(out[1]), 2);
  EXPECT_EQ(in_time.stats(now).order.gaps, 0U);

  out = play_until(playout, now, kBegin + 1h);
  ASSERT_EQ(out.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<PlayoutGap>(out[0].item));
  EXPECT_EQ(out[0].at, kBegin + 9s);
  EXPECT_EQ(out[1].at, kBegin + 9s);
}

TEST(Playout, WhatCameTooLateIsMeasuredWhatCameTwiceIsNot) {
  Playout playout;
  playout.begin_epoch(kEpoch);
  auto now = kBegin;
  playout.push(segment(0), over(0));
  playout.push(segment(2), over(2));
  play_until(playout, now, over(2));
  EXPECT_EQ(playout.push(segment(1), over(1) + 5s), Resequencer::Taken::kLate);
  EXPECT_EQ(playout.stats(over(1) + 5s).delay, 7s);
  EXPECT_EQ(playout.push(segment(2), over(2) + 8s), Resequencer::Taken::kDuplicate);
  EXPECT_LE(playout.stats(over(2) + 8s).delay, 7s);
}

TEST(Playout, AStallStatesNothingAndLosesNothing) {
  Playout playout;
  playout.begin_epoch(kEpoch);
  auto now = kBegin;
  playout.push(segment(0), over(0));
  play_until(playout, now, over(0));
  EXPECT_FALSE(playout.next_due(now));
  for (int i = 1; i < 5; ++i) playout.push(segment(i), over(4) + 30s);
  auto out = play_until(playout, now, over(4) + 30s);
  EXPECT_EQ(out.size(), 4U);  // the most delay is past: at once
  EXPECT_EQ(playout.stats(now).order.gaps, 0U);
}

TEST(Playout, AFootageGapBeginsATimelineOfItsOwn) {
  Playout playout;
  playout.begin_epoch(kEpoch);
  auto now = kBegin;
  for (int i = 0; i < 5; ++i) playout.push(segment(i), over(i));
  play_until(playout, now, over(4));
  // The source was away for an hour, of which the timeline knows nothing.
  playout.note_unwritten(kEpoch, 5, {AbsenceCause::kSourceOutage, Timestamp(), Timestamp(1h), 0});
  playout.push(segment(5, 1), over(5) + 1h);
  auto out = play_until(playout, now, over(5) + 1h);
  ASSERT_EQ(out.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<PlayoutGap>(out[0].item));
  EXPECT_EQ(out[1].at, over(5) + 1h);
  EXPECT_EQ(playout.stats(now).delay, 2s);
}

TEST(Playout, TimelinesThatAreNeverPlayedAreForgotten) {
  Playout playout({.order = {.max_bytes = 10'000}});
  playout.begin_epoch(kEpoch);
  for (int i = 0; i < 5000; ++i) playout.push(segment(i, i), over(i));
  auto now = over(5000);
  auto out = play_until(playout, now, now + 1h);
  EXPECT_EQ(number_of(out.back()), 4999);
}

}  // namespace
}  // namespace gopline::aggregator
