#include "splitter/live/reconnect_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace gopline::splitter {
namespace {

using namespace std::chrono_literals;

TEST(ReconnectPolicy, WaitsLongerAndLongerUpToItsMost) {
  Duration ceiling = 1s;
  std::vector<Duration> longest(8);
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    ReconnectPolicy policy({}, seed);
    for (auto& most : longest) most = std::max(most, policy.next_delay(OutageCause::kUnreachable, 0s));
  }
  for (auto most : longest) {
    EXPECT_LE(most, ceiling);
    EXPECT_GT(most, ceiling * 9 / 10);  // over 500 seeds the jitter fills its range
    ceiling = std::min<Duration>(ceiling * 2, 60s);
  }
}

TEST(ReconnectPolicy, TheJitterIsFull) {
  Duration least = 60s;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    ReconnectPolicy policy({}, seed);
    for (int i = 0; i < 6; ++i) policy.next_delay(OutageCause::kUnreachable, 0s);
    least = std::min(least, policy.next_delay(OutageCause::kUnreachable, 0s));
  }
  EXPECT_LT(least, 1s);
}

TEST(ReconnectPolicy, BeginsAnewAfterAStableTime) {
  ReconnectPolicy policy({}, 1);
  for (int i = 0; i < 10; ++i) policy.next_delay(OutageCause::kUnreachable, 29s);
  EXPECT_EQ(policy.attempts(), 10);
  EXPECT_LE(policy.next_delay(OutageCause::kHung, 30s), 1s);
}

TEST(ReconnectPolicy, AWrongLoginDoesNotHammer) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    ReconnectPolicy policy({}, seed);
    auto delay = policy.next_delay(OutageCause::kUnauthorized, 0s);
    EXPECT_GE(delay, 30s);
    EXPECT_LE(delay, 60s);
  }
}

TEST(ReconnectPolicy, AThousandAttemptsDoNotOverflow) {
  ReconnectPolicy policy({}, 1);
  for (int i = 0; i < 1000; ++i) {
    auto delay = policy.next_delay(OutageCause::kFailed, 0s);
    EXPECT_GE(delay, 0s);
    EXPECT_LE(delay, 60s);
  }
}

TEST(OutageCause, ComesFromTheError) {
  EXPECT_EQ(outage_cause_of({ErrorCode::kPermissionDenied, ""}, false), OutageCause::kUnauthorized);
  EXPECT_EQ(outage_cause_of({ErrorCode::kNotFound, ""}, false), OutageCause::kNotFound);
  EXPECT_EQ(outage_cause_of({ErrorCode::kUnavailable, ""}, false), OutageCause::kUnreachable);
  EXPECT_EQ(outage_cause_of({ErrorCode::kUnavailable, ""}, true), OutageCause::kHung);
  EXPECT_EQ(outage_cause_of({ErrorCode::kCorrupt, ""}, true), OutageCause::kFailed);
}

}  // namespace
}  // namespace gopline::splitter
