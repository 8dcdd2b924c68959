#include "bench/segments/latency_samples.h"

#include <gtest/gtest.h>

namespace gopline::bench {
namespace {

LatencySamples one_to(int last) {
  LatencySamples samples;
  for (int i = last; i >= 1; --i) samples.add(i);
  return samples;
}

TEST(LatencySamples, PercentilesAreTheNearestRank) {
  auto samples = one_to(1000);
  EXPECT_EQ(samples.percentile(0.5), 500);
  EXPECT_EQ(samples.percentile(0.99), 990);
  EXPECT_EQ(samples.percentile(0.999), 999);
  EXPECT_EQ(samples.worst(), 1000);
}

TEST(LatencySamples, APercentileThatWouldBeTheWorstIsNone) {
  EXPECT_FALSE(one_to(99).percentile(0.99).has_value());
  EXPECT_EQ(one_to(100).percentile(0.99), 99);
  EXPECT_FALSE(one_to(999).percentile(0.999).has_value());
  EXPECT_EQ(one_to(2).percentile(0.5), 1);
}

TEST(LatencySamples, NothingComesOfNothing) {
  LatencySamples none;
  EXPECT_FALSE(none.percentile(0.5).has_value());
  EXPECT_FALSE(none.worst().has_value());
}

TEST(LatencySamples, RunsAreOneSetOfSamples) {
  LatencySamples samples;
  samples.add({1, 2, 3});
  samples.add(100);
  EXPECT_EQ(samples.count(), 4U);
  EXPECT_EQ(samples.percentile(0.5), 2);
}

}  // namespace
}  // namespace gopline::bench
