#include "analyzer/warm_up.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/test_time.h"

namespace gopline::analyzer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Segments of two seconds, from 0 on, with these access point types.
std::vector<record::IndexEntry> entries(const std::vector<int>& saps) {
  std::vector<record::IndexEntry> out;
  for (std::size_t i = 0; i < saps.size(); ++i) {
    record::IndexEntry entry;
    entry.segment = SegmentNumber(static_cast<std::int64_t>(i));
    entry.time = kNoon + std::chrono::seconds(2 * i);
    entry.duration = {2, 1};
    entry.sap = saps[i];
    out.push_back(entry);
  }
  return out;
}

record::SegmentHeaders next(const std::vector<record::IndexEntry>& all, int sap = 1) {
  record::SegmentHeaders headers;
  headers.segment = SegmentNumber(static_cast<std::int64_t>(all.size()));
  headers.time = kNoon + std::chrono::seconds(2 * all.size());
  headers.sap = sap;
  return headers;
}

std::vector<std::int64_t> numbers(const std::vector<record::IndexEntry>& chosen) {
  std::vector<std::int64_t> out;
  for (const auto& entry : chosen) out.push_back(entry.segment.value);
  return out;
}

TEST(WarmUp, IsSoMuchFootageAndNoMoreThanThereIs) {
  auto all = entries({1, 1, 1, 1, 1});
  EXPECT_THAT(numbers(choose_warm_up(all, next(all), std::chrono::seconds(4))), ElementsAre(3, 4));
  EXPECT_THAT(numbers(choose_warm_up(all, next(all), std::chrono::seconds(3))), ElementsAre(3, 4));
  EXPECT_THAT(numbers(choose_warm_up(all, next(all), std::chrono::seconds(100))), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(numbers(choose_warm_up(all, next(all), Duration(0))), IsEmpty());
}

TEST(WarmUp, GoesBackToAPictureThatNeedsNoOther) {
  auto all = entries({1, 0, 0, 1, 0});
  EXPECT_THAT(numbers(choose_warm_up(all, next(all, 0), Duration(0))), ElementsAre(3, 4));
  EXPECT_THAT(numbers(choose_warm_up(all, next(all), std::chrono::seconds(3))), ElementsAre(3, 4));
  EXPECT_THAT(numbers(choose_warm_up(all, next(all), std::chrono::seconds(4))), ElementsAre(3, 4));
  EXPECT_THAT(numbers(choose_warm_up(all, next(all), std::chrono::seconds(5))), ElementsAre(0, 1, 2, 3, 4));
  auto open = entries({3, 3, 3});
  EXPECT_THAT(numbers(choose_warm_up(open, next(open, 3), Duration(0))), ElementsAre(2));
  auto headless = entries({0, 0, 1});
  EXPECT_THAT(numbers(choose_warm_up(headless, next(headless), std::chrono::seconds(100))), ElementsAre(2));
}

TEST(WarmUp, EndsAtAHole) {
  auto all = entries({1, 1, 1, 1});
  auto holed = all;
  holed.erase(holed.begin() + 1);
  EXPECT_THAT(numbers(choose_warm_up(holed, next(all), std::chrono::seconds(100))), ElementsAre(2, 3));
  all[2].gap = record::GapFacts{};
  EXPECT_THAT(numbers(choose_warm_up(all, next(all), std::chrono::seconds(100))), ElementsAre(2, 3));
  auto jump = next(all);
  jump.discontinuities = 1;
  EXPECT_THAT(numbers(choose_warm_up(all, jump, std::chrono::seconds(100))), IsEmpty());
}

}  // namespace
}  // namespace gopline::analyzer
