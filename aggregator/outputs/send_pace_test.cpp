#include "aggregator/outputs/send_pace.h"

#include <gtest/gtest.h>

namespace gopline::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kBegin{1000s};

std::int64_t us(Duration duration) {
  return duration.count();
}

// A lump of `count` packets, 100 ms apart.
void lump(SendPace& pace, Duration first, int count, SteadyTime now) {
  for (int i = 0; i < count; ++i) pace.arrived(us(first + i * 100ms), now);
}

TEST(SendPace, LumpsLeaveEvenly) {
  SendPace pace;
  lump(pace, 0s, 20, kBegin);
  EXPECT_EQ(pace.due(0), kBegin);
  EXPECT_EQ(pace.due(us(1900ms)), kBegin + 1900ms);
  lump(pace, 2s, 20, kBegin + 2s);
  EXPECT_EQ(pace.due(us(2s)), kBegin + 2s);
}

TEST(SendPace, ALumpThatIsLateMakesTheLagLonger) {
  SendPace pace;
  lump(pace, 0s, 20, kBegin);
  lump(pace, 2s, 20, kBegin + 2300ms);
  EXPECT_EQ(pace.due(us(2s)), kBegin + 2300ms);
  lump(pace, 4s, 20, kBegin + 4s);  // one in time does not shorten it at once
  EXPECT_GE(pace.due(us(4s)), kBegin + 4295ms);
}

TEST(SendPace, TheLagShrinksSlowlyWhenNothingIsLateAnyMore) {
  SendPace pace;
  lump(pace, 0s, 20, kBegin);
  lump(pace, 2s, 20, kBegin + 3s);
  auto before = pace.due(0);
  for (int i = 2; i < 500; ++i) {
    auto now = kBegin + 2s * i;
    lump(pace, 2s * i, 20, now);
    EXPECT_LE(before - pace.due(0), 2ms * 2) << i;  // a thousandth
    before = pace.due(0);
  }
  EXPECT_LE(before, kBegin + 100ms);
  EXPECT_GE(before, kBegin) << "nothing is due before it is here";
}

TEST(SendPace, DriftOfTheWritersClockDoesNotAddUp) {
  SendPace pace;
  for (int i = 0; i < 10'000; ++i) {  // 500 ppm fast, five hours and a half
    auto now = kBegin + 2s * i - 1ms * i;
    lump(pace, 2s * i, 20, now);
    auto lead = pace.due(us(2s * i)) - now;
    ASSERT_GE(lead, 0s) << i;
    ASSERT_LE(lead, 100ms) << i;
  }
}

TEST(SendPace, WhatNobodyWantsToWaitForIsSkipped) {
  SendPace pace;
  lump(pace, 0s, 20, kBegin);
  pace.arrived(us(3600s), kBegin);
  pace.skip_to(us(3600s), kBegin + 2s);
  EXPECT_EQ(pace.due(us(3600s)), kBegin + 2s);
  EXPECT_EQ(pace.due(us(3601s)), kBegin + 3s);
}

}  // namespace
}  // namespace gopline::aggregator
