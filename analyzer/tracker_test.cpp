#include "analyzer/tracker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/test_time.h"

namespace gopline::analyzer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kStep = std::chrono::milliseconds(200);

Sighting seen_at(double x, double y, const std::string& class_name = "person") {
  return {class_name, 0.8, {x, y, 0.1, 0.2}};
}

// Ten steps of two who walk through each other, and are not seen while they are one.
std::vector<Sighting> two_who_meet(int step) {
  auto left = seen_at(0.1 + 0.05 * step, 0.4), right = seen_at(0.65 - 0.05 * step, 0.45);
  if (step == 5 || step == 6) return {left};
  return {right, left};
}

std::vector<std::int64_t> numbers(const std::vector<const Track*>& tracks) {
  std::vector<std::int64_t> out;
  for (const auto* track : tracks) out.push_back(track->number);
  return out;
}

TEST(Tracker, WhatIsSeenForLongEnoughIsAnObject) {
  Tracker tracker({});
  auto time = kNoon;
  EXPECT_THAT(tracker.step(time, {seen_at(0.1, 0.1)}).seen, IsEmpty());
  EXPECT_THAT(tracker.step(time += kStep, {seen_at(0.11, 0.1)}).seen, IsEmpty());
  auto step = tracker.step(time += kStep, {seen_at(0.12, 0.1)});
  ASSERT_EQ(step.seen.size(), 1U);
  EXPECT_EQ(step.seen[0]->began, kNoon);
  EXPECT_EQ(step.seen[0]->first, seen_at(0.1, 0.1).box);
}

TEST(Tracker, WhatIsSeenOnceIsNothing) {
  Tracker tracker({});
  tracker.step(kNoon, {seen_at(0.1, 0.1)});
  for (int i = 1; i < 20; ++i) {
    auto step = tracker.step(kNoon + i * kStep, {});
    EXPECT_THAT(step.seen, IsEmpty());
    EXPECT_TRUE(step.gone.empty());
  }
}

TEST(Tracker, WhoIsUnseenForAMomentIsTheSameAndForLongIsGone) {
  Tracker tracker({});
  auto time = kNoon;
  for (int i = 0; i < 5; ++i) tracker.step(time += kStep, {seen_at(0.1 + 0.02 * i, 0.1)});
  tracker.step(time += kStep, {});
  tracker.step(time += kStep, {});
  auto again = tracker.step(time += kStep, {seen_at(0.24, 0.1)});
  EXPECT_THAT(numbers(again.seen), ElementsAre(0));
  auto last = time;
  std::vector<Track> gone;
  while (gone.empty()) gone = tracker.step(time += kStep, {}).gone;
  EXPECT_EQ(time - last, std::chrono::seconds(1));
  EXPECT_EQ(gone[0].last_seen, last);
}

TEST(Tracker, TwoWhoPassEachOtherStayThemselves) {
  Tracker tracker({});
  std::int64_t to_the_right = -1;
  for (int i = 0; i <= 10; ++i) {
    auto step = tracker.step(kNoon + i * kStep, two_who_meet(i));
    for (const auto* track : step.seen) {
      if (track->newest.box != seen_at(0.1 + 0.05 * i, 0.4).box) continue;
      if (to_the_right < 0) to_the_right = track->number;
      EXPECT_EQ(track->number, to_the_right) << i;
    }
  }
  EXPECT_EQ(tracker.clear().size(), 2U);
}

TEST(Tracker, ACarIsNoPerson) {
  Tracker tracker({});
  for (int i = 0; i < 5; ++i) tracker.step(kNoon + i * kStep, {seen_at(0.1, 0.1, "car"), seen_at(0.1, 0.1)});
  auto step = tracker.step(kNoon + 5 * kStep, {seen_at(0.1, 0.1)});
  ASSERT_EQ(step.seen.size(), 1U);
  EXPECT_EQ(step.seen[0]->newest.class_name, "person");
}

}  // namespace
}  // namespace gopline::analyzer
