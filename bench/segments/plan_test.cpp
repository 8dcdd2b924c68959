#include "bench/segments/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gopline::bench {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Plan, SizesGoUpByFoursInThousandsOrIn1024s) {
  EXPECT_THAT(*parse_sizes("16KB..64MB"),
              ElementsAre(16'000, 64'000, 256'000, 1'000'000, 4'000'000, 16'000'000, 64'000'000));
  EXPECT_THAT(*parse_sizes("64KiB..4MiB"), ElementsAre(65536, 262144, 1048576, 4194304));
}

TEST(Plan, TheLastOfARangeIsMeasuredAndNothingCloseBelowIt) {
  EXPECT_THAT(*parse_sizes("1MB..5MB"), ElementsAre(1'000'000, 5'000'000));
  EXPECT_THAT(*parse_sizes("1MB..1MB"), ElementsAre(1'000'000));
}

TEST(Plan, ListsAndRangesMixAscendingEachOnce) {
  EXPECT_THAT(*parse_sizes("8MB, 1MB,1MB..4MB"), ElementsAre(1'000'000, 4'000'000, 8'000'000));
}

TEST(Plan, SizesThatAreNoneSayWhy) {
  for (const char* text : {"", "big", "4MB..1MB", "1MB..", "1B", "2GB", "1MB,,2MB"}) {
    EXPECT_FALSE(parse_sizes(text).has_value()) << text;
  }
  EXPECT_THAT(parse_sizes("2GB").error().message, HasSubstr("1GB"));
}

TEST(Plan, DurationsClimbALadder) {
  EXPECT_THAT(*parse_durations("0.5s..10s"),
              ElementsAre(milliseconds(500), milliseconds(1000), milliseconds(2000), milliseconds(5000),
                          milliseconds(10'000)));
  EXPECT_THAT(*parse_durations("2s"), ElementsAre(milliseconds(2000)));
  EXPECT_FALSE(parse_durations("0s").has_value());
  EXPECT_FALSE(parse_durations("soon").has_value());
}

TEST(Plan, StrategiesAreSpelledBothWays) {
  for (const char* name :
       {"inline", "chunk", "chunk@512KiB", "chunk@2MiB", "chunk@1000", "claim", "auto", "raw"}) {
    auto strategy = strategy_from(name);
    ASSERT_TRUE(strategy.has_value()) << name;
    EXPECT_EQ(to_string(*strategy), name);
  }
  EXPECT_FALSE(strategy_from("inlin").has_value());
  EXPECT_FALSE(strategy_from("inline@1MB").has_value());
  EXPECT_FALSE(strategy_from("chunk@0").has_value());
  EXPECT_EQ(parse_strategies("inline,chunk,inline")->size(), 2U);
}

TEST(Plan, EverySizeAndEveryDurationWithEveryStrategy) {
  auto strategies = *parse_strategies("inline,chunk");
  auto plan = make_plan({1000, 2000}, {milliseconds(500)}, strategies);
  ASSERT_EQ(plan.size(), 6U);
  EXPECT_EQ(title_of(plan[1]), "1 KB, chunk");
  EXPECT_EQ(title_of(plan[4]), "0.5 s of video, inline");
}

TEST(Plan, TheRateLeavesRoomAndIsBounded) {
  EXPECT_DOUBLE_EQ(default_rate(64'000'000, 6), 1.8);
  EXPECT_DOUBLE_EQ(default_rate(1'000'000, 500), 10);
  EXPECT_DOUBLE_EQ(default_rate(16'000, 10'000), 200);
}

TEST(Plan, SizesAreShownAsTheCommandLineSpellsThem) {
  EXPECT_EQ(show_size(16'000), "16 KB");
  EXPECT_EQ(show_size(1'000'000), "1 MB");
  EXPECT_EQ(show_size(999'900), "1 MB");
  EXPECT_EQ(show_size(1'500'000), "1.5 MB");
  EXPECT_EQ(show_size(500), "500 B");
}

}  // namespace
}  // namespace gopline::bench
