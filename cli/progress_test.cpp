#include "cli/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gopline::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

class ProgressBoardTest : public ::testing::Test {
 protected:
  ProgressBoard board(ProgressStyle style, int columns = 100, int rows = 24) {
    return ProgressBoard(clock_, ProgressOptions{style, columns, rows},
                         [this](std::string_view text) { written_ += text; });
  }
  std::string take() { return std::exchange(written_, {}); }

  FakeClock clock_;
  std::string written_;
};

TEST(DescribeProgress, says_how_far_how_fast_and_how_long_still) {
  EXPECT_EQ(describe_progress({10'000'000, 0.25, {}}, seconds(2)), " 25 %   10.0 MB    5.0 MB/s  0:06 left");
}

TEST(DescribeProgress, guesses_nothing_in_the_first_second) {
  EXPECT_THAT(describe_progress({10'000'000, 0.25, {}}, milliseconds(500)), Not(HasSubstr("left")));
}

TEST(DescribeProgress, a_live_source_has_no_end) {
  auto text = describe_progress({10'000'000, std::nullopt, seconds(62)}, seconds(2));
  EXPECT_EQ(text, " 10.0 MB    5.0 MB/s  1:02.0 of footage");
}

TEST(FormatWait, is_what_a_person_reads) {
  EXPECT_EQ(format_wait(milliseconds(1)), "0:01");
  EXPECT_EQ(format_wait(seconds(75)), "1:15");
  EXPECT_EQ(format_wait(seconds(3723)), "1:02:03");
}

TEST_F(ProgressBoardTest, draws_at_most_ten_times_a_second) {
  auto bars = board(ProgressStyle::kBars);
  auto task = bars.add("lobby");
  bars.update(task, {1, 0.1, {}});
  EXPECT_THAT(take(), HasSubstr("lobby"));
  clock_.advance(milliseconds(99));
  bars.update(task, {1, 0.2, {}});
  EXPECT_EQ(take(), "");
  clock_.advance(milliseconds(1));
  bars.update(task, {1, 0.3, {}});
  EXPECT_THAT(take(), HasSubstr("30 %"));
}

TEST_F(ProgressBoardTest, redraws_in_place) {
  auto bars = board(ProgressStyle::kBars);
  auto lobby = bars.add("lobby");
  auto door = bars.add("door");
  bars.update(lobby, {1, 0.5, {}});
  EXPECT_THAT(take(), Not(HasSubstr("\x1b[")));
  clock_.advance(seconds(1));
  bars.update(door, {1, 0.5, {}});
  EXPECT_THAT(take(), HasSubstr("\x1b[2A"));
}

TEST_F(ProgressBoardTest, a_message_stands_above_the_bars) {
  auto bars = board(ProgressStyle::kBars);
  bars.update(bars.add("lobby"), {1, 0.5, {}});
  take();
  bars.message("door: cannot open");
  auto text = take();
  EXPECT_THAT(text, testing::StartsWith("\x1b[1A\r\x1b[Jdoor: cannot open\n"));
  EXPECT_THAT(text, HasSubstr("lobby"));
}

TEST_F(ProgressBoardTest, close_leaves_the_terminal_clean) {
  auto bars = board(ProgressStyle::kBars);
  auto task = bars.add("lobby");
  bars.update(task, {1, 0.5, {}});
  take();
  bars.close();
  EXPECT_EQ(take(), "\x1b[1A\r\x1b[J");
  bars.finish(task, "done");
  EXPECT_EQ(take(), "");
}

TEST_F(ProgressBoardTest, never_fills_more_than_the_terminal) {
  auto bars = board(ProgressStyle::kBars, 40, 5);
  for (int i = 0; i < 9; ++i) bars.add("camera-" + std::to_string(i) + "-with-a-very-long-name-indeed");
  bars.finish(0, "done");
  auto text = take();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_THAT(text, HasSubstr("… and 7 more"));
  EXPECT_THAT(text, Not(HasSubstr("camera-0"))) << "finished ones give way";
}

TEST_F(ProgressBoardTest, writes_lines_where_there_is_no_terminal) {
  auto lines = board(ProgressStyle::kLines);
  auto task = lines.add("lobby");
  lines.update(task, {1, 0.1, {}});
  EXPECT_EQ(take(), "");
  clock_.advance(seconds(5));
  lines.update(task, {5'000'000, 0.5, {}});
  EXPECT_EQ(take(), "lobby:  50 %    5.0 MB    1.0 MB/s  0:05 left\n");
}

TEST_F(ProgressBoardTest, quiet_is_quiet) {
  auto none = board(ProgressStyle::kNone);
  auto task = none.add("lobby");
  clock_.advance(seconds(60));
  none.update(task, {1, 0.1, {}});
  none.finish(task, "done");
  EXPECT_EQ(take(), "");
}

}  // namespace
}  // namespace gopline::cli
