#include "aggregator/mosaic/grid.h"

#include <gtest/gtest.h>

#include "aggregator/mosaic/frame_rate.h"

namespace gopline::aggregator {
namespace {

TEST(Grid, IsAsSquareAsItGets) {
  std::vector<std::pair<std::size_t, Extent>> cases{{1, {1, 1}}, {2, {2, 1}}, {3, {2, 2}},  {4, {2, 2}},
                                                    {5, {3, 2}}, {9, {3, 3}}, {10, {4, 3}}, {64, {8, 8}}};
  for (const auto& [streams, layout] : cases) {
    auto grid = make_grid(streams, {1920, 1080}, std::nullopt);
    ASSERT_TRUE(grid) << streams;
    EXPECT_EQ(grid->layout, layout) << streams;
    EXPECT_EQ(grid->places.size(), streams);
  }
}

TEST(Grid, EverythingIsEvenAndInside) {
  for (int width = 64; width < 200; width += 6) {
    auto grid = make_grid(7, {width, 130}, std::nullopt);
    ASSERT_TRUE(grid);
    for (const auto& place : grid->places) {
      EXPECT_EQ(place.x % 2 + place.y % 2 + grid->tile.width % 2 + grid->tile.height % 2, 0);
      EXPECT_LE(place.x + grid->tile.width, width);
      EXPECT_LE(place.y + grid->tile.height, 130);
    }
  }
}

TEST(Grid, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(make_grid(5, {640, 480}, Extent{2, 2}));
  EXPECT_FALSE(make_grid(1, {641, 480}, std::nullopt));
  EXPECT_FALSE(make_grid(65, {1920, 1080}, std::nullopt));
  EXPECT_FALSE(make_grid(4, {20, 20}, std::nullopt));
  EXPECT_FALSE(make_grid(0, {640, 480}, std::nullopt));
}

TEST(Grid, ExtentsAreTwoNumbers) {
  EXPECT_EQ(*parse_extent("1920x1080"), (Extent{1920, 1080}));
  for (const auto* bad : {"", "x", "2", "2x", "x2", "0x2", "2x-1", "2x2x2", "99999x2", "axb"}) {
    EXPECT_FALSE(parse_extent(bad)) << bad;
  }
}

TEST(FrameRate, TheHighestOfThoseThatCanBe) {
  EXPECT_EQ(frame_rate_for({{25, 1}, {10, 1}}), (Rational{25, 1}));
  EXPECT_EQ(frame_rate_for({{2997, 100}, {10, 1}}), (Rational{30'000, 1001}));
  EXPECT_EQ(frame_rate_for({{1'499'000, 100'000}}), (Rational{15, 1}));
  EXPECT_EQ(frame_rate_for({{60, 1}}), (Rational{30, 1}));
  EXPECT_EQ(frame_rate_for({{90'000, 1}, {12, 1}}), (Rational{12, 1}));
  EXPECT_EQ(frame_rate_for({{1, 10}}), (Rational{1, 1}));
  EXPECT_EQ(frame_rate_for({{0, 1}}), (Rational{25, 1}));
  EXPECT_EQ(frame_rate_for({}), (Rational{25, 1}));
}

}  // namespace
}  // namespace gopline::aggregator
