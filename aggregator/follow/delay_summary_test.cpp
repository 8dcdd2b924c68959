#include "aggregator/follow/delay_summary.h"

#include <gtest/gtest.h>

namespace gopline::aggregator {
namespace {

using namespace std::chrono_literals;

TEST(DelaySummary, QuantilesAreRightToTwoPercent) {
  DelaySummary summary;
  for (int ms = 1; ms <= 1000; ++ms) summary.observe(std::chrono::milliseconds(ms));
  for (double share : {0.01, 0.5, 0.9, 0.99}) {
    auto exact = Duration(static_cast<Duration::rep>(share * 1e6));
    EXPECT_GE(summary.quantile(share), exact) << share;
    EXPECT_LE(summary.quantile(share), exact * 1.02) << share;
  }
  EXPECT_EQ(summary.quantile(1), Duration(1s));
  EXPECT_EQ(summary.count(), 1000U);
}

TEST(DelaySummary, WithoutAnyThereIsNoDelay) {
  EXPECT_EQ(DelaySummary().quantile(0.99), Duration(0));
}

TEST(DelaySummary, WhatTwoClocksMakeNegativeIsNone) {
  DelaySummary summary;
  summary.observe(-5s);
  summary.observe(2ms);
  EXPECT_LE(summary.quantile(0.5), 1us) << "as little as can be told";
  EXPECT_EQ(summary.most(), Duration(2ms));
}

}  // namespace
}  // namespace gopline::aggregator
