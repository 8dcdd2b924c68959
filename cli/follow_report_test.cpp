#include "cli/follow_report.h"

#include <gmock/gmock.h>

namespace gopline::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

aggregator::FollowStats stats() {
  aggregator::FollowStats stats;
  stats.segments = 10;
  stats.pieces = 60;
  stats.bytes = 2'500'000;
  stats.newest_delay = 340ms;
  stats.newest_wait = 10ms;
  for (int i = 0; i < 100; ++i) stats.capture_to_output.observe(300ms);
  stats.playout.waiting_pieces = 2;
  stats.playout.delay = 320ms;
  return stats;
}

TEST(FollowReport, TheRowSaysHowFarBehindItIs) {
  auto row = stats_row(stats());
  EXPECT_THAT(row, HasSubstr("0.34 s behind capture (0.01 s read to out)"));
  EXPECT_THAT(row, HasSubstr("2 pieces"));
  EXPECT_THAT(row, HasSubstr("2.5 MB out"));
  EXPECT_THAT(row, HasSubstr("lag ? records")) << "not asked yet";
  EXPECT_THAT(row, Not(HasSubstr("gaps")));
}

TEST(FollowReport, TheRowSaysWhatWentWrong) {
  auto wrong = stats();
  wrong.gaps = 3;
  wrong.late = 2;
  wrong.duplicates = 1;
  wrong.lag_records = 12'345;
  wrong.lag = 4s;
  EXPECT_THAT(stats_row(wrong), HasSubstr("3 gaps  2 late  1 twice  lag 12 345 records, 4.0 s"));
}

TEST(FollowReport, JsonHasTheSameNumbers) {
  auto json = stats_json(stats());
  EXPECT_EQ(json["pieces"], 60);
  EXPECT_EQ(json["buffer_pieces"], 2);
  EXPECT_TRUE(json["lag_records"].is_null());
  EXPECT_NEAR(json["capture_to_output_seconds"]["p99"].get<double>(), 0.3, 0.006);
  EXPECT_EQ(json["capture_to_read_seconds"]["p99"], 0);
}

TEST(FollowReport, TheTextIsATableOfDelays) {
  auto text = stats_text(stats());
  EXPECT_THAT(text, HasSubstr("capture to output"));
  EXPECT_THAT(text, HasSubstr("60 pieces; 0 gaps, 0 late, 0 twice"));
}

}  // namespace
}  // namespace gopline::cli
