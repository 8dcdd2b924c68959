#include "aggregator/follow/playout_delay.h"

#include <gtest/gtest.h>

namespace gopline::aggregator {
namespace {

using namespace std::chrono_literals;

SteadyTime since_start(Duration since) {
  return SteadyTime(since);
}

TEST(PlayoutDelay, IsItsLeastBeforeAnythingIsMeasured) {
  EXPECT_EQ(PlayoutDelay({.least = 200ms}).at(since_start(1h)), 200ms);
  EXPECT_EQ(PlayoutDelay().at(since_start(1h)), 0ms);
}

TEST(PlayoutDelay, GrowsAtOnceAndShrinksSlowly) {
  PlayoutDelay delay({.window = 10s, .shrink_per_second = 10ms});
  delay.observe(100ms, since_start(0s));
  EXPECT_EQ(delay.at(since_start(0s)), 100ms);
  delay.observe(900ms, since_start(1s));
  EXPECT_EQ(delay.at(since_start(1s)), 900ms);
  for (auto t = 2s; t <= 21s; t += 1s) delay.observe(100ms, since_start(t));
  EXPECT_EQ(delay.at(since_start(21s)), 810ms);  // it left the window at 12 s
  EXPECT_EQ(delay.at(since_start(50s)), 520ms);
  EXPECT_EQ(delay.at(since_start(1h)), 100ms);
}

TEST(PlayoutDelay, StaysWithinItsBounds) {
  PlayoutDelay delay({.least = 200ms, .most = 1s});
  delay.observe(50ms, since_start(0s));
  EXPECT_EQ(delay.at(since_start(0s)), 200ms);
  delay.observe(1h, since_start(1s));
  EXPECT_EQ(delay.at(since_start(1s)), 1s);
  EXPECT_EQ(PlayoutDelay({.least = 5s, .most = 1s}).at(since_start(0s)), 5s);
}

TEST(PlayoutDelay, OneOfManyDoesNotCount) {
  PlayoutDelay delay({.quantile = 0.99});
  for (int i = 0; i < 200; ++i) delay.observe(100ms, since_start(i * 100ms));
  delay.observe(5s, since_start(20s));
  delay.observe(5s, since_start(20s + 1ms));
  EXPECT_EQ(delay.at(since_start(21s)), 100ms);  // two of 202 are not one of a hundred
  delay.observe(5s, since_start(20s + 2ms));
  EXPECT_EQ(delay.at(since_start(20s + 2ms)), 5s);
}

TEST(PlayoutDelay, AMillionMeasurementsAtOnceAreBounded) {
  PlayoutDelay delay;
  for (int i = 0; i < 20'000; ++i) delay.observe(Duration(i % 1000), since_start(0s));
  EXPECT_GE(delay.at(since_start(0s)), 980us);
  EXPECT_LE(delay.at(since_start(0s)), 999us);
}

TEST(PlayoutDelay, DoesNotMindAClockThatStandsStillOrAYear) {
  PlayoutDelay delay;
  delay.observe(1s, since_start(10s));
  EXPECT_EQ(delay.at(since_start(1s)), 1s);  // a time before the newest measurement
  EXPECT_EQ(delay.at(since_start(24h * 365 * 100)), 1s);
}

}  // namespace
}  // namespace gopline::aggregator
