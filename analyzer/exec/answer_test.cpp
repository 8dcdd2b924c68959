#include "analyzer/exec/answer.h"

#include <gtest/gtest.h>

namespace gopline::analyzer {
namespace {

TEST(Answer, IsAListOfEvents) {
  auto events = parse_answer(
      R"({"events": [{"class": "person", "score": 0.75, "box": [0.1, 0.2, 0.3, 0.4], "object": 7, "phase": "start",
          "track": 12, "details": {"hat": true}}, {"class": "glare"}]})");
  ASSERT_TRUE(events) << events.error().message;
  ASSERT_EQ(events->size(), 2u);
  const auto& first = (*events)[0];
  EXPECT_EQ(first.object, 7);
  EXPECT_EQ(first.finding.phase, record::EventPhase::kStart);
  EXPECT_EQ(first.finding.score, 0.75);
  EXPECT_EQ(first.finding.box, (record::PictureBox{0.1, 0.2, 0.3, 0.4}));
  EXPECT_EQ(first.finding.track, "12");
  EXPECT_EQ(first.finding.details, R"({"hat":true})");
  EXPECT_EQ((*events)[1].object, std::nullopt);
  EXPECT_TRUE(parse_answer("{}")->empty());
}

TEST(Answer, ThatIsNoneIsSaidToBe) {
  for (const char* wrong :
       {"", "null", "[]", "Traceback (most recent call last):", R"({"events": 1})", R"({"events": [1]})",
        R"({"events": [{}]})", R"({"events": [{"class": "a", "box": [1, 2, 3]}]})",
        R"({"events": [{"class": "a", "score": "high"}]})", R"({"events": [{"class": "a", "object": 1}]})",
        R"({"events": [{"class": "a", "object": -1, "phase": "start"}]})", R"({"error": "no model"})",
        R"({"events": [{"class": "a", "details": []}]})", R"({"events": [{"class": ["a"]}]})"}) {
    auto events = parse_answer(wrong);
    ASSERT_FALSE(events) << wrong;
    EXPECT_EQ(events.error().code, ErrorCode::kUnavailable) << wrong;
  }
}

}  // namespace
}  // namespace gopline::analyzer
