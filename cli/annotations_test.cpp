#include "cli/annotations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/test_time.h"

namespace gopline::cli {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

record::Detection told_at(int seconds, record::EventPhase phase, std::optional<double> x,
                          const std::string& event = "e") {
  record::Detection detection;
  detection.event = event;
  detection.phase = phase;
  detection.class_name = "person";
  detection.time = kNoon + std::chrono::seconds(seconds);
  detection.started = kNoon + std::chrono::seconds(9);
  if (x) detection.box = record::PictureBox{*x, 0.1, 0.2, 0.3};
  return detection;
}

double x_at(const Annotations& annotations, double seconds) {
  auto marks = annotations.at(kNoon + std::chrono::milliseconds(static_cast<int>(1000 * seconds)));
  return marks.size() == 1 ? marks.front().x : -1;
}

TEST(Annotations, GoFromTheBeginningToTheEndAndMove) {
  Annotations annotations;
  annotations.add(told_at(10, record::EventPhase::kStart, 0.1));
  annotations.add(told_at(11, record::EventPhase::kUpdate, 0.2));
  annotations.add(told_at(12, record::EventPhase::kEnd, {}));
  EXPECT_EQ(x_at(annotations, 8.9), -1);
  EXPECT_EQ(x_at(annotations, 9), 0.1) << "where it began, before it was told";
  EXPECT_EQ(x_at(annotations, 10.9), 0.1);
  EXPECT_EQ(x_at(annotations, 11), 0.2);
  EXPECT_EQ(x_at(annotations, 11.9), 0.2);
  EXPECT_EQ(x_at(annotations, 12), -1);
}

TEST(Annotations, ThatHaveNotEndedGoAwayAfterAWhile) {
  Annotations annotations;
  annotations.add(told_at(10, record::EventPhase::kStart, 0.1));
  EXPECT_EQ(x_at(annotations, 11.9), 0.1);
  EXPECT_EQ(x_at(annotations, 12), -1);
}

TEST(Annotations, OfSeveralEventsAreSeenTogether) {
  Annotations annotations;
  annotations.add(told_at(10, record::EventPhase::kStart, 0.1, "a"));
  annotations.add(told_at(10, record::EventPhase::kStart, {}, "b"));
  auto marks = annotations.at(kNoon + std::chrono::seconds(10));
  ASSERT_THAT(marks, SizeIs(2));
  EXPECT_EQ(marks[1].width, 1) << "without a box: the whole picture";
  EXPECT_EQ(marks[0].colour, marks[1].colour);
  EXPECT_EQ(marks[0].word, "person");
  EXPECT_THAT(annotations.at(kNoon), IsEmpty());
}

}  // namespace
}  // namespace gopline::cli
