#include "cli/carried_sound.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/test_time.h"

namespace gopline::cli {
namespace {

using std::chrono::milliseconds;

// Pictures, and sound in packets of 20 ms.
std::vector<media::Track> a_camera() {
  std::vector<media::Track> tracks(2);
  tracks[0].codec.type = media::MediaType::kVideo;
  tracks[0].time_base = {1, 1000};
  tracks[1].codec.type = media::MediaType::kAudio;
  tracks[1].time_base = {1, 8000};
  tracks[1].start_time = 77;
  return tracks;
}

media::Packet sound_at(std::int64_t ticks) {
  media::Packet packet;
  packet.track = 1;
  packet.pts = packet.dts = ticks;
  packet.duration = 160;
  packet.data = Buffer::copy("sound");
  return packet;
}

std::vector<std::int64_t> ticks_of(const std::vector<media::Packet>& packets) {
  std::vector<std::int64_t> ticks;
  for (const auto& packet : packets) ticks.push_back(*packet.pts);
  return ticks;
}

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CarriedSound, HasTheTracksWithSoundBehindThePictures) {
  CarriedSound sound(a_camera(), 1);
  ASSERT_EQ(sound.tracks().size(), 1U);
  EXPECT_EQ(sound.tracks()[0].id, 2);
  EXPECT_EQ(sound.tracks()[0].source_index, 1);
  EXPECT_EQ(sound.tracks()[0].start_time, std::nullopt);
}

TEST(CarriedSound, ComesBeforeThePicturesThatAreNotBeforeIt) {
  CarriedSound sound(a_camera(), 1);
  // Tick 0 is a second before what is made begins.
  auto zero = kNoon - std::chrono::seconds(1);
  for (std::int64_t i = 0; i < 5; ++i) sound.push(sound_at(7840 + 160 * i), zero);
  EXPECT_EQ(sound.waiting_bytes(), 25U);
  sound.begin(kNoon);
  EXPECT_THAT(ticks_of(sound.take(kNoon + milliseconds(40))), ElementsAre(0, 160))
      << "what was before is left out";
  EXPECT_THAT(ticks_of(sound.take(kNoon + milliseconds(40))), IsEmpty());
  auto rest = sound.take(std::nullopt);
  EXPECT_THAT(ticks_of(rest), ElementsAre(320, 480));
  EXPECT_EQ(rest[0].track, 1);
  EXPECT_EQ(sound.waiting_bytes(), 0U);
}

TEST(CarriedSound, HasNoSeamWhereTheClockTrembles) {
  CarriedSound sound(a_camera(), 1);
  sound.begin(kNoon);
  sound.push(sound_at(0), kNoon);
  sound.push(sound_at(160), kNoon + milliseconds(3));
  sound.push(sound_at(320), kNoon - milliseconds(3));
  EXPECT_THAT(ticks_of(sound.take(std::nullopt)), ElementsAre(0, 160, 320));
}

TEST(CarriedSound, FollowsAClockThatIsPutRight) {
  CarriedSound sound(a_camera(), 1);
  sound.begin(kNoon);
  sound.push(sound_at(0), kNoon);
  EXPECT_THAT(ticks_of(sound.take(std::nullopt)), ElementsAre(0));
  sound.push(sound_at(160), kNoon + milliseconds(100));
  EXPECT_THAT(ticks_of(sound.take(std::nullopt)), ElementsAre(160 + 800));
  // And back again: what would come twice does not.
  for (std::int64_t i = 2; i < 9; ++i) sound.push(sound_at(160 * i), kNoon);
  EXPECT_THAT(ticks_of(sound.take(std::nullopt)), ElementsAre(1120, 1280));
}

TEST(CarriedSound, BeginsAnewWithWhatWaits) {
  CarriedSound sound(a_camera(), 1);
  sound.begin(kNoon);
  sound.push(sound_at(0), kNoon);
  sound.push(sound_at(160), kNoon);
  sound.begin(kNoon + milliseconds(20));
  EXPECT_THAT(ticks_of(sound.take(std::nullopt)), ElementsAre(0));
}

}  // namespace
}  // namespace gopline::cli
