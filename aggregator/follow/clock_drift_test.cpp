#include "aggregator/follow/clock_drift.h"

#include <gtest/gtest.h>

#include <random>

namespace gopline::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{5h};

Duration off(SteadyTime a, SteadyTime b) {
  return std::chrono::duration_cast<Duration>(a - b);
}

// A writer whose clock runs `ppm` slower than ours: media time m is here at the earliest at m (1 + ppm/10^6).
struct Writer {
  double ppm = 0;
  SteadyTime earliest(Duration media) const {
    return kStart + 3s +
           Duration(static_cast<Duration::rep>(static_cast<double>(media.count()) * (1 + ppm * 1e-6)));
  }
};

TEST(ClockDrift, TheQuickestCounts) {
  ClockDrift drift;
  EXPECT_TRUE(drift.empty());
  drift.observe(10s, kStart + 500ms);
  EXPECT_EQ(drift.earliest(10s), kStart + 500ms);
  drift.observe(11s, kStart + 1200ms);
  EXPECT_EQ(drift.earliest(12s), kStart + 2200ms);
  drift.observe(12s, kStart + 9s);
  EXPECT_EQ(drift.earliest(12s), kStart + 2200ms);
  EXPECT_FALSE(drift.empty());
}

TEST(ClockDrift, AWriterWithoutDriftHasNone) {
  ClockDrift drift;
  Writer writer;
  for (auto media = 0s; media < 1h; media += 1s) drift.observe(media, writer.earliest(media));
  EXPECT_NEAR(drift.ppm(), 0, 0.01);
}

class Drifting : public ::testing::TestWithParam<double> {};

TEST_P(Drifting, IsFoundUnderJitterAndFollowed) {
  Writer writer{GetParam()};
  ClockDrift drift;
  std::mt19937_64 random(1);
  std::exponential_distribution<double> jitter(1 / 30e3);  // 30 ms
  for (auto media = Duration(0); media < 1h; media += 1s) {
    drift.observe(media, writer.earliest(media) + Duration(static_cast<Duration::rep>(jitter(random))));
    auto error = off(drift.earliest(media), writer.earliest(media));
    auto slack = media < 2min ? 100ms : 15ms;
    EXPECT_LE(error, slack) << media.count();
    EXPECT_GE(error, -slack) << media.count();
  }
  EXPECT_NEAR(drift.ppm(), GetParam(), 60);
}

TEST_P(Drifting, StallsDoNotMoveIt) {
  Writer writer{GetParam()};
  ClockDrift drift;
  for (auto media = Duration(0); media < 10min; media += 1s) {
    bool stalled = media % 100s >= 70s;
    auto until = media - media % 100s + 100s;
    drift.observe(media, stalled ? writer.earliest(until) : writer.earliest(media));
  }
  EXPECT_NEAR(drift.ppm(), GetParam(), 20);
  EXPECT_LE(std::chrono::abs(off(drift.earliest(10min), writer.earliest(10min))), 10ms);
}

INSTANTIATE_TEST_SUITE_P(Ppm, Drifting, ::testing::Values(-500, -50, 0, 50, 500));

TEST(ClockDrift, HistoryReadInOneGoIsNoDrift) {
  ClockDrift drift;
  // An hour read at a hundred times its speed, then live.
  for (auto media = Duration(0); media < 1h; media += 1s) drift.observe(media, kStart + media / 100);
  EXPECT_EQ(drift.ppm(), 0);
  Writer live;
  auto offset = kStart + 36s - live.earliest(1h);
  for (auto media = Duration(1h); media < 1h + 20min; media += 1s)
    drift.observe(media, live.earliest(media) + offset);
  EXPECT_NEAR(drift.ppm(), 0, 1);
  EXPECT_LE(std::chrono::abs(off(drift.earliest(80min), live.earliest(80min) + offset)), 1ms);
}

TEST(ClockDrift, AStepOfTheWayIsForgottenWithTheWindow) {
  ClockDrift drift({.window = 60s});
  Writer writer;
  for (auto media = 0s; media < 100s; media += 1s) drift.observe(media, writer.earliest(media));
  for (auto media = 100s; media < 300s; media += 1s) drift.observe(media, writer.earliest(media) + 2s);
  EXPECT_EQ(off(drift.earliest(300s), writer.earliest(300s)), 2s);
}

TEST(ClockDrift, OneMediaTimeOverAndOverIsNoSlope) {
  ClockDrift drift;
  for (auto i = 0s; i < 10min; i += 1s) drift.observe(5s, kStart + i);
  EXPECT_EQ(drift.ppm(), 0);
}

}  // namespace
}  // namespace gopline::aggregator
