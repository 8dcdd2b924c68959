#include "analyzer/zones.h"

#include <gtest/gtest.h>

namespace gopline::analyzer {
namespace {

TEST(Zones, AreANameAndCorners) {
  auto zone = parse_zone("door@0.1:0.2;0.5:0.25;1:0");
  ASSERT_TRUE(zone) << zone.error().message;
  EXPECT_EQ(*zone, (Zone{"door", {{0.1, 0.2}, {0.5, 0.25}, {1, 0}}}));
}

TEST(Zones, SayWhatIsWrongWithThem) {
  for (const char* wrong :
       {"", "door", "@0:0;1:0;1:1", "door@0:0;1:1", "door@0:0;1:1;2:1", "door@0:0;1:1;x:1",
        "door@0:0;1:1;0.5", "door@0:0;;1:1;0:1", "door@0:0;1:1;nan:1"}) {
    auto zone = parse_zone(wrong);
    ASSERT_FALSE(zone) << wrong;
    EXPECT_EQ(zone.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(zone.error().message.find("NAME@x:y;x:y;x:y"), std::string::npos);
  }
}

TEST(Zones, ContainWhatLiesInThem) {
  auto zone = parse_zone("arrow@0:0;1:0;0.5:0.5;1:1;0:1");
  ASSERT_TRUE(zone);
  EXPECT_TRUE(contains(*zone, {0.2, 0.5}));
  EXPECT_FALSE(contains(*zone, {0.9, 0.5})) << "in its notch";
  EXPECT_TRUE(contains(*zone, {0.9, 0.05}));
  EXPECT_FALSE(contains(*zone, {1.1, 0.05}));
  EXPECT_TRUE(contains(Zone{}, {0.9, 0.5})) << "the whole picture";
}

TEST(Lines, AreCrossedToOneSideOrTheOther) {
  auto line = parse_line("gate@0.5:0.9;0.5:0.1");  // looking up
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_EQ(crossing(*line, {0.4, 0.5}, {0.6, 0.5}), Side::kRight);
  EXPECT_EQ(crossing(*line, {0.6, 0.5}, {0.4, 0.5}), Side::kLeft);
  EXPECT_EQ(crossing(*line, {0.4, 0.5}, {0.45, 0.5}), std::nullopt);
  EXPECT_EQ(crossing(*line, {0.4, 0.95}, {0.6, 0.95}), std::nullopt) << "below its end";
}

TEST(Lines, AreCrossedOnceByWhoStandsOnThem) {
  auto line = parse_line("gate@0.5:0.75;0.5:0.25");
  ASSERT_TRUE(line);
  int crossings = 0;
  for (auto [from, to] : {std::pair(0.25, 0.5), std::pair(0.5, 0.5), std::pair(0.5, 0.75)}) {
    if (crossing(*line, {from, 0.5}, {to, 0.5})) ++crossings;
  }
  EXPECT_EQ(crossings, 1);
}

TEST(Lines, SayWhatIsWrongWithThem) {
  for (const char* wrong : {"gate", "gate@0:0", "gate@0:0;1:1;0:1", "gate@0:0;0:0", "@0:0;1:1"})
    EXPECT_FALSE(parse_line(wrong)) << wrong;
}

}  // namespace
}  // namespace gopline::analyzer
