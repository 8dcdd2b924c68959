#include "aggregator/mosaic/frame_line.h"

#include <gtest/gtest.h>

#include <vector>

#include "common/base/test_time.h"

namespace gopline::aggregator {
namespace {

using std::chrono::milliseconds;

constexpr Rational kTenAPerSecond{10, 1};

// Begin and end of what is shown, in instants since noon.
struct Shown {
  std::int64_t begin, end;
  bool operator==(const Shown&) const = default;
};

class Line {
 public:
  void push(milliseconds at, milliseconds duration) { take(line_.push(kNoon + at, duration, {})); }
  void cut() { take(line_.cut()); }
  const std::vector<Shown>& shown() const { return shown_; }
  const std::vector<Timestamp>& until() const { return until_; }
  const FrameLineStats& stats() const { return line_.stats(); }

 private:
  void take(const std::optional<Showing>& showing) {
    if (!showing) return;
    auto zero = axis_.instant_of(kNoon);
    shown_.push_back({showing->begin - zero, showing->end - zero});
    until_.push_back(showing->until);
  }

  Axis axis_{kTenAPerSecond};
  FrameLine line_{axis_};
  std::vector<Shown> shown_;
  std::vector<Timestamp> until_;
};

TEST(FrameLine, AFrameStandsUntilTheNext) {
  Line line;
  for (int i = 0; i < 4; ++i) line.push(milliseconds(i * 100), milliseconds(100));
  line.cut();
  EXPECT_EQ(line.shown(), (std::vector<Shown>{{0, 1}, {1, 2}, {2, 3}, {3, 4}}));
}

TEST(FrameLine, TimesThatTrembleStayInTheirInstants) {
  Line line;
  int shake[] = {0, 30, -40, 49, -49};
  for (int i = 0; i < 5; ++i) line.push(milliseconds(i * 100 + shake[i]), milliseconds(100));
  line.cut();
  EXPECT_EQ(line.shown(), (std::vector<Shown>{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}}));
}

TEST(FrameLine, ASlowStreamsFrameStandsForSeveralInstants) {
  Line line;
  line.push(milliseconds(0), milliseconds(1000));
  line.push(milliseconds(1000), milliseconds(1000));
  line.cut();
  EXPECT_EQ(line.shown(), (std::vector<Shown>{{0, 10}, {10, 20}}));
}

TEST(FrameLine, OfAFastStreamTheNewestFrameOfAnInstantIsShown) {
  Line line;
  for (int i = 0; i < 10; ++i) line.push(milliseconds(i * 25), milliseconds(25));
  line.cut();
  EXPECT_EQ(line.shown(), (std::vector<Shown>{{0, 1}, {1, 2}, {2, 3}}));
  EXPECT_EQ(line.stats().frames, 10U);
  EXPECT_EQ(line.stats().passed_over, 7U);
}

TEST(FrameLine, AFrameThatWasDroppedDoesNotFlicker) {
  Line line;
  line.push(milliseconds(0), milliseconds(100));
  line.push(milliseconds(500), milliseconds(100));
  line.cut();
  EXPECT_EQ(line.shown(), (std::vector<Shown>{{0, 5}, {5, 6}}));
}

TEST(FrameLine, BehindALongHoleNothingLooksAsIfItWereLive) {
  Line line;
  line.push(milliseconds(0), milliseconds(100));
  line.push(milliseconds(3000), milliseconds(100));
  line.cut();
  EXPECT_EQ(line.shown(), (std::vector<Shown>{{0, 1}, {30, 31}}));
  EXPECT_EQ(line.until()[0], kNoon + milliseconds(100));
}

TEST(FrameLine, AStatedGapIsSeenHoweverShortItIs) {
  Line line;
  line.push(milliseconds(0), milliseconds(100));
  line.cut();
  line.push(milliseconds(500), milliseconds(100));
  line.cut();
  EXPECT_EQ(line.shown(), (std::vector<Shown>{{0, 1}, {5, 6}}));
}

TEST(FrameLine, WhatWasTakenEarlierThanWhatCameBeforeIsCounted) {
  Line line;
  line.push(milliseconds(1000), milliseconds(100));
  line.cut();
  line.push(milliseconds(400), milliseconds(100));
  line.push(milliseconds(1000), milliseconds(100));
  line.push(milliseconds(1100), milliseconds(100));
  line.cut();
  EXPECT_EQ(line.shown(), (std::vector<Shown>{{10, 11}, {11, 12}}));
  EXPECT_EQ(line.stats().backwards, 2U);
}

}  // namespace
}  // namespace gopline::aggregator
