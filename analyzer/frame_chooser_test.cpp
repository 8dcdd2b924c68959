#include "analyzer/frame_chooser.h"

#include <vector>

#include <gtest/gtest.h>

namespace gopline::analyzer {
namespace {

media::Packet packet(std::int64_t pts, std::int64_t duration, bool key = false) {
  media::Packet one;
  one.pts = pts;
  one.duration = duration;
  one.flags = key ? media::packet_flags::kKey : 0;
  return one;
}

int chosen(Rational rate, std::int64_t first, int count, std::int64_t duration, Rational base) {
  FrameChoice choice{FrameChoice::Kind::kRate, rate};
  int all = 0;
  for (int i = 0; i < count; ++i)
    all += is_chosen(choice, packet(first + i * duration, duration), base) ? 1 : 0;
  return all;
}

TEST(FrameChooser, SoManyASecond) {
  EXPECT_EQ(chosen({2, 1}, 0, 250, 3600, {1, 90000}), 20);  // ten seconds of 25 a second
  EXPECT_EQ(chosen({2, 1}, 7200, 250, 3600, {1, 90000}), 20) << "wherever it begins";
  EXPECT_EQ(chosen({1, 2}, 0, 250, 3600, {1, 90000}), 5);
  EXPECT_EQ(chosen({25, 1}, 0, 250, 3600, {1, 90000}), 250);
  EXPECT_EQ(chosen({100, 1}, 0, 250, 3600, {1, 90000}), 250) << "no more than there are";
  EXPECT_EQ(chosen({15, 1}, 0, 300, 1001, {1, 30000}), 150) << "of 29.97 a second, rounded by time";
  EXPECT_EQ(chosen({1, 1}, -90000, 50, 3600, {1, 90000}), 2) << "before zero, too";
}

TEST(FrameChooser, AllAndKey) {
  EXPECT_TRUE(is_chosen({FrameChoice::Kind::kAll, {}}, packet(1, 1), {1, 10}));
  EXPECT_TRUE(is_chosen({FrameChoice::Kind::kKey, {}}, packet(1, 1, true), {1, 10}));
  EXPECT_FALSE(is_chosen({FrameChoice::Kind::kKey, {}}, packet(1, 1), {1, 10}));
  EXPECT_TRUE(is_chosen({FrameChoice::Kind::kRate, {1, 1}}, packet(1, 0), {1, 10})) << "nobody knows better";
}

TEST(FrameChooser, OfSeveralChoicesEachFindsItsOwn) {
  std::vector<FrameChoice> choices{{FrameChoice::Kind::kKey, {0, 1}}, {FrameChoice::Kind::kRate, {5, 1}}};
  EXPECT_EQ(choices_of(choices, packet(0, 1, true), {1, 10}), 0b11U);
  EXPECT_EQ(choices_of(choices, packet(1, 1), {1, 10}), 0U);
  EXPECT_EQ(choices_of(choices, packet(2, 1), {1, 10}), 0b10U);
  std::vector<FrameChoice> one{choices[0]};
  EXPECT_EQ(choices_of(one, packet(0, 1, true), {1, 10}), ~0U) << "it speaks for all";
  EXPECT_EQ(choices_of({}, packet(0, 1, true), {1, 10}), 0U);
  EXPECT_TRUE(are_keys_alone(one));
  EXPECT_FALSE(are_keys_alone(choices));
  EXPECT_FALSE(are_keys_alone({})) << "then what follows needs them";
}

}  // namespace
}  // namespace gopline::analyzer
