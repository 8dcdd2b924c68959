#include "analyzer/people/hog_window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gopline::analyzer {
namespace {

using ::testing::DoubleNear;

TEST(HogWindow, ThePictureIsSoLargeThatTheSmallestFillTheirWindow) {
  EXPECT_EQ(hog_picture_height(1), 96);
  EXPECT_EQ(hog_picture_height(0.125), 768);
}

TEST(HogWindow, LevelsReachFromTheSmallestToTheLargest) {
  EXPECT_EQ(hog_levels(0.2, 0.2, 1.05), 1);
  EXPECT_EQ(hog_levels(0.2, 0.1, 1.05), 1) << "never none";
  EXPECT_EQ(hog_levels(0.25, 1, 2), 3) << "1/4, 1/2, 1";
  EXPECT_EQ(hog_levels(0.25, 0.99, 2), 2);
}

TEST(HogWindow, ScoresAreFromNoughtToOne) {
  EXPECT_EQ(hog_score(0), 0.5);
  EXPECT_LT(hog_score(-3), 0.01);
  EXPECT_GT(hog_score(3), 0.99);
  EXPECT_THAT(hog_distance(hog_score(0.7)), DoubleNear(0.7, 1e-12));
}

TEST(HogWindow, ThePersonIsInItsMiddle) {
  auto box = person_in({64, 128, 64, 128}, 640, 1280);
  EXPECT_THAT(box.x, DoubleNear(0.125, 1e-9));
  EXPECT_THAT(box.y, DoubleNear(0.1125, 1e-9));
  EXPECT_THAT(box.width, DoubleNear(0.05, 1e-9));
  EXPECT_THAT(box.height, DoubleNear(0.075, 1e-9));
}

TEST(HogWindow, WhoLeavesThePictureEndsWithIt) {
  auto box = person_in({-32, 900, 64, 128}, 640, 1000);
  EXPECT_EQ(box.x, 0);
  EXPECT_THAT(box.width, DoubleNear(16.0 / 640, 1e-9));
  EXPECT_THAT(box.y + box.height, DoubleNear(1, 1e-9));
}

}  // namespace
}  // namespace gopline::analyzer
