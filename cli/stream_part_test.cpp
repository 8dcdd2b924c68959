#include "cli/stream_part.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gopline::cli {
namespace {

using ::testing::HasSubstr;

TEST(ParseEpoch, takes_words_and_numbers) {
  EXPECT_EQ(parse_epoch("latest")->kind, aggregator::EpochSelection::Kind::kLatest);
  EXPECT_EQ(parse_epoch("all")->kind, aggregator::EpochSelection::Kind::kAll);
  EXPECT_EQ(parse_epoch("42")->number.value, 42);
  for (auto wrong : {"", "first", "-1", "1.5"}) EXPECT_FALSE(parse_epoch(wrong)) << wrong;
  EXPECT_THAT(parse_epoch("first").error().message, HasSubstr("latest, all, or a number"));
}

TEST(ParsePoint, takes_capture_times_and_offsets) {
  EXPECT_EQ(std::get<Offset>(*parse_point("1234")).value, 1234);
  EXPECT_EQ(std::get<Timestamp>(*parse_point("1970-01-01T00:00:01Z")), Timestamp(std::chrono::seconds(1)));
  for (auto wrong : {"", "noon", "-3", "12:30"}) EXPECT_FALSE(parse_point(wrong)) << wrong;
  EXPECT_THAT(parse_point("noon").error().message, HasSubstr("2026-11-22T18:30:00Z"));
}

}  // namespace
}  // namespace gopline::cli
