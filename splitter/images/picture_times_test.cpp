#include "splitter/images/picture_times.h"

#include <gtest/gtest.h>

#include "common/base/test_time.h"

namespace gopline::splitter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(PictureTimes, EachHasItsOwn) {
  PictureTimes times({}, {});
  EXPECT_EQ(times.next(kNoon), kNoon);
  EXPECT_EQ(times.next(kNoon + hours(3)), kNoon + hours(3));
}

TEST(PictureTimes, ABurstWithinASecondIsInOrder) {
  PictureTimes times({}, {});
  EXPECT_EQ(times.next(kNoon), kNoon);
  EXPECT_EQ(times.next(kNoon), kNoon + milliseconds(1));
  EXPECT_EQ(times.next(kNoon), kNoon + milliseconds(2));
  EXPECT_EQ(times.next(kNoon + seconds(1)), kNoon + seconds(1));
}

TEST(PictureTimes, AClockThatWentBackIsBelieved) {
  PictureTimes times({}, {});
  times.next(kNoon);
  EXPECT_EQ(times.next(kNoon - hours(1)), kNoon - hours(1));
}

TEST(PictureTimes, FromAStartOnTheDistancesStay) {
  PictureTimes times(kNoon, {});
  EXPECT_EQ(times.next(kNoon - hours(50)), kNoon);
  EXPECT_EQ(times.next(kNoon - hours(49)), kNoon + hours(1));
}

TEST(PictureTimes, ByARateEachHasItsPlace) {
  PictureTimes times(kNoon, Rational{30'000, 1001});
  for (int i = 0; i < 30'000; ++i) times.next({});
  EXPECT_EQ(times.next({}), kNoon + seconds(1001));
}

TEST(PictureTimes, ByARateWithoutAStartTheFirstOnesOwnCounts) {
  PictureTimes times({}, Rational{2, 1});
  EXPECT_EQ(times.next(kNoon), kNoon);
  EXPECT_EQ(times.next(kNoon), kNoon + milliseconds(500));
}

TEST(PictureTimes, WhatCannotBeReadHasItsPlaceToo) {
  PictureTimes rated(kNoon, Rational{1, 1});
  EXPECT_EQ(rated.skip(), std::nullopt);
  EXPECT_EQ(rated.next({}), kNoon + seconds(1));
  EXPECT_EQ(rated.skip(), kNoon + seconds(2));
  EXPECT_EQ(rated.next({}), kNoon + seconds(3));
  PictureTimes own({}, {});
  EXPECT_EQ(own.skip(), std::nullopt);
  own.next(kNoon);
  EXPECT_EQ(own.skip(), kNoon + milliseconds(1));
}

}  // namespace
}  // namespace gopline::splitter
