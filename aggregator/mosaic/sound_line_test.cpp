#include "aggregator/mosaic/sound_line.h"

#include <gtest/gtest.h>

#include "common/base/test_time.h"

namespace gopline::aggregator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kFramesPerMs = SoundLine::kRate / 1000;

std::vector<float> sound(std::size_t ms, float value) {
  return std::vector<float>(ms * kFramesPerMs * SoundLine::kChannels, value);
}

float value_at(const std::vector<float>& samples, std::size_t ms) {
  return samples.at(ms * kFramesPerMs * SoundLine::kChannels);
}

TEST(SoundLine, PiecesInARowAreOneLine) {
  SoundLine line;
  line.push(kNoon, sound(20, 1));
  line.push(kNoon + milliseconds(20), sound(20, 2));
  auto all = line.take(kNoon, kNoon + milliseconds(40));
  ASSERT_EQ(all.size(), sound(40, 0).size());
  EXPECT_EQ(value_at(all, 0), 1);
  EXPECT_EQ(value_at(all, 20), 2);
  EXPECT_EQ(value_at(all, 39), 2);
  EXPECT_EQ(line.waiting_bytes(), 0U);
}

TEST(SoundLine, WhereNothingIsThereIsSilenceOfTheRightLength) {
  SoundLine line;
  line.push(kNoon + milliseconds(100), sound(20, 1));
  line.push(kNoon + seconds(3600), sound(20, 2));
  auto all = line.take(kNoon, kNoon + milliseconds(200));
  EXPECT_EQ(value_at(all, 99), 0);
  EXPECT_EQ(value_at(all, 100), 1);
  EXPECT_EQ(value_at(all, 119), 1);
  EXPECT_EQ(value_at(all, 120), 0);
  EXPECT_EQ(line.waiting_bytes(), sound(20, 2).size() * sizeof(float))
      << "an hour of silence takes no memory";
}

TEST(SoundLine, TimesThatTrembleMakeNoHoles) {
  SoundLine line;
  int shake[] = {0, 5, -5, 15, -15, 3};
  for (int i = 0; i < 6; ++i) line.push(kNoon + milliseconds(i * 20 + shake[i]), sound(20, 1));
  auto all = line.take(kNoon, kNoon + milliseconds(120));
  EXPECT_EQ(all, sound(120, 1));
}

TEST(SoundLine, OfWhatOverlapsTheFirstIsHeardAndOfWhatIsLateTheRest) {
  SoundLine line;
  line.push(kNoon, sound(100, 1));
  line.push(kNoon + milliseconds(50), sound(100, 2));
  auto first = line.take(kNoon, kNoon + milliseconds(120));
  EXPECT_EQ(value_at(first, 99), 1);
  EXPECT_EQ(value_at(first, 100), 2);
  line.push(kNoon, sound(100, 3));
  auto rest = line.take(kNoon + milliseconds(120), kNoon + milliseconds(160));
  EXPECT_EQ(value_at(rest, 29), 2);
  EXPECT_EQ(value_at(rest, 31), 0);
}

TEST(SoundLine, PiecesMayBeTakenInPieces) {
  SoundLine line;
  line.push(kNoon, sound(100, 1));
  std::vector<float> all;
  for (int i = 0; i < 100; i += 10) {
    auto some = line.take(kNoon + milliseconds(i), kNoon + milliseconds(i + 10));
    all.insert(all.end(), some.begin(), some.end());
  }
  EXPECT_EQ(all, sound(100, 1));
}

}  // namespace
}  // namespace gopline::aggregator
