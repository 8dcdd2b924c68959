#include "common/base/logging.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "common/base/text.h"

namespace gopline {
namespace {

using ::testing::IsEmpty;
using ::testing::MatchesRegex;

// The log is one for the process: each test names subjects of its own, and leaves it as it was.
struct Logging : testing::Test {
  ~Logging() override {
    set_log_format(LogFormat::kText);
    set_log_level(LogLevel::kInfo);
  }
  template <typename Say>
  static std::string said(Say say) {
    testing::internal::CaptureStderr();
    say();
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(Logging, text_has_time_level_stream_and_message) {
  EXPECT_THAT(said([] { log_warning("lobby", "no packet for {} s", 12); }),
              MatchesRegex("....-..-..T..:..:..[.][0-9]+[+-]..:.. warning lobby: no packet for 12 s\n"));
}

TEST_F(Logging, json_is_one_object_per_line) {
  set_log_format(LogFormat::kJson);
  auto text = said([] {
    log_error("hall \"2\"", "two\nlines, {}", "\xff not UTF-8");
    log_info("door", "plain");
  });
  std::istringstream lines(text);
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  auto first = nlohmann::json::parse(line);
  EXPECT_EQ(first["level"], "error");
  EXPECT_EQ(first["stream"], "hall \"2\"");
  EXPECT_EQ(first["message"], "two\nlines, \xEF\xBF\xBD not UTF-8");
  EXPECT_TRUE(parse_rfc3339(first["time"].get<std::string>()));
  EXPECT_EQ(first.size(), 4u);
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(nlohmann::json::parse(line)["level"], "info");
  EXPECT_FALSE(std::getline(lines, line));
}

TEST_F(Logging, repeats_are_not_said) {
  auto text = said([] {
    for (int i = 0; i < 100; ++i) log_warning("repeats", "away");
  });
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_THAT(said([] { log_repeats_that_are_over(); }), IsEmpty());
}

TEST_F(Logging, debug_lines_are_all_said_when_they_are_wanted) {
  auto thrice = [] {
    for (int i = 0; i < 3; ++i) log_debug("debug", "step");
  };
  EXPECT_THAT(said(thrice), IsEmpty());
  set_log_level(LogLevel::kDebug);
  auto text = said(thrice);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

// In a process of its own, because the program's end is part of it.
TEST_F(Logging, the_end_says_what_was_not) {
  auto repeat_and_end = [] {
    set_log_format(LogFormat::kJson);
    for (int i = 0; i < 100; ++i) log_warning("ending", "away");
    std::exit(0);
  };
  EXPECT_EXIT(repeat_and_end(), testing::ExitedWithCode(0), R"("message":"away","repeated":99\})");
}

TEST_F(Logging, formats_are_named) {
  EXPECT_EQ(log_format_from("json"), LogFormat::kJson);
  EXPECT_EQ(log_format_from("text"), LogFormat::kText);
  EXPECT_EQ(log_format_from("xml"), std::nullopt);
}

}  // namespace
}  // namespace gopline
