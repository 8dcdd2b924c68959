#include "common/base/log_repeats.h"

#include <gmock/gmock.h>

namespace gopline {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Repeats : testing::Test {
  FakeClock clock;
  LogRepeats repeats;

  bool say(std::string_view message, std::string_view wording = "camera {} is away",
           std::string_view subject = "lobby") {
    return repeats.should_say(LogLevel::kWarning, subject, message, wording, clock.steady_now());
  }
  std::vector<LogRepeats::Summary> finished_after(Duration time) {
    clock.advance(time);
    return repeats.take_finished(clock.steady_now());
  }
};

TEST_F(Repeats, the_same_line_is_said_once_and_then_counted) {
  EXPECT_TRUE(say("camera 1 is away"));
  for (int i = 0; i < 7; ++i) EXPECT_FALSE(say("camera 1 is away"));
  EXPECT_THAT(finished_after(29s), IsEmpty());
  auto finished = finished_after(1s);
  ASSERT_THAT(finished, SizeIs(1));
  EXPECT_EQ(finished[0].times, 7);
  EXPECT_EQ(finished[0].level, LogLevel::kWarning);
  EXPECT_EQ(finished[0].subject, "lobby");
  EXPECT_EQ(finished[0].message, "camera 1 is away");
}

TEST_F(Repeats, a_line_that_comes_back_later_is_said_again) {
  EXPECT_TRUE(say("camera 1 is away"));
  EXPECT_THAT(finished_after(30s), IsEmpty());
  EXPECT_TRUE(say("camera 1 is away"));
}

TEST_F(Repeats, details_are_said_until_there_are_too_many) {
  for (int i = 0; i < 20; ++i) EXPECT_EQ(say(fmt::format("camera {} is away", i)), i < 5) << i;
  auto finished = finished_after(30s);
  ASSERT_THAT(finished, SizeIs(1));
  EXPECT_EQ(finished[0].times, 15);
  EXPECT_EQ(finished[0].message, "camera 19 is away");
}

TEST_F(Repeats, a_storm_is_a_line_per_window) {
  EXPECT_TRUE(say("camera 1 is away"));
  for (int window = 0; window < 10; ++window) {
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(say("camera 1 is away"));
    EXPECT_THAT(finished_after(30s), SizeIs(1));
  }
  EXPECT_THAT(finished_after(30s), IsEmpty());
  EXPECT_TRUE(say("camera 1 is away"));
}

TEST_F(Repeats, streams_levels_and_wordings_are_apart) {
  EXPECT_TRUE(say("away"));
  EXPECT_TRUE(say("away", "other words: {}"));
  EXPECT_TRUE(say("away", "camera {} is away", "door"));
  EXPECT_TRUE(repeats.should_say(LogLevel::kError, "lobby", "away", "camera {} is away", clock.steady_now()));
}

TEST_F(Repeats, a_wording_without_words_is_no_reason_to_count) {
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(say(fmt::format("reason {}", i), "{}: {:>8.1f}")) << i;
  EXPECT_FALSE(say("reason 1", "{}: {:>8.1f}"));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(say(fmt::format("other reason {}", i), "")) << i;
}

TEST_F(Repeats, what_is_not_said_yet_is_there_at_the_end) {
  say("camera 1 is away");
  say("camera 1 is away");
  auto all = repeats.take_all();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].times, 1);
  EXPECT_THAT(repeats.take_all(), IsEmpty());
}

TEST_F(Repeats, memory_is_bounded_and_then_all_is_said) {
  for (std::size_t i = 0; i < LogRepeats::kWordings; ++i) say("away", "camera {} is away", std::to_string(i));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(say("away", "one too many"));
  finished_after(30s);
  EXPECT_TRUE(say("away", "one too many"));
  EXPECT_FALSE(say("away", "one too many"));
}

}  // namespace
}  // namespace gopline
