#include "common/media/nut_segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "common/media/demuxer.h"

namespace gopline::media {
namespace {

namespace fs = std::filesystem;
const fs::path kClipFolder = fs::path(GOPLINE_SOURCE_DIR) / "media";

struct Clip {
  std::vector<Track> tracks;
  std::vector<Packet> packets;
};

Clip read_clip(const std::string& name) {
  DemuxerOptions options;
  options.url = (kClipFolder / name).string();
  auto demuxer = Demuxer::open(options);
  Clip clip;
  if (!demuxer) return clip;
  clip.tracks = (*demuxer)->tracks();
  for (;;) {
    auto packet = (*demuxer)->read();
    if (!packet || !*packet) break;
    clip.packets.push_back(std::move(**packet));
  }
  return clip;
}

Segment segment_of(const Clip& clip) {
  Segment segment;
  for (std::size_t track = 0; track < clip.tracks.size(); ++track) {
    Run run;
    run.track = static_cast<int>(track);
    std::int64_t time = 0;  // never goes back
    for (const auto& packet : clip.packets) {
      if (packet.track != run.track) continue;
      auto dts = packet.dts.value_or(packet.pts.value_or(0));
      auto num = clip.tracks[track].time_base.num;
      time = std::max(time, dts * num);
      run.packets.push_back({packet, dts, packet.pts.value_or(dts), time, packet.duration * num});
    }
    segment.runs.push_back(std::move(run));
  }
  return segment;
}

void expect_equal(const Packet& actual, const Packet& expected) {
  EXPECT_EQ(actual.track, expected.track);
  EXPECT_EQ(actual.pts, expected.pts);
  EXPECT_EQ(actual.dts, expected.dts);
  EXPECT_EQ(actual.duration, expected.duration);
  EXPECT_EQ(actual.flags, expected.flags);
  EXPECT_EQ(actual.data, expected.data);
  EXPECT_EQ(actual.side_data, expected.side_data);
}

void expect_round_trip(const Clip& clip) {
  auto bytes = write_nut_segment(segment_of(clip), clip.tracks);
  ASSERT_TRUE(bytes) << bytes.error().message;
  auto packets = read_nut_segment(bytes->flatten(), clip.tracks);
  ASSERT_TRUE(packets) << packets.error().message;
  for (std::size_t track = 0; track < clip.tracks.size(); ++track) {
    auto of_track = [&](const Packet& packet) { return packet.track == static_cast<int>(track); };
    std::vector<Packet> actual, expected;
    std::ranges::copy_if(*packets, std::back_inserter(actual), of_track);
    std::ranges::copy_if(clip.packets, std::back_inserter(expected), of_track);
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) expect_equal(actual[i], expected[i]);
  }
}

TEST(NutSegmentTest, ClipsComeBackExactly) {
  for (const char* name : {"street.avi", "street.mp4", "street_hevc.mp4", "cup.mp4", "door_g711.mkv"}) {
    SCOPED_TRACE(name);
    auto clip = read_clip(name);
    ASSERT_FALSE(clip.packets.empty());
    expect_round_trip(clip);
  }
}

TEST(NutSegmentTest, SoDoesWhatNutItselfCannotSay) {
  auto clip = read_clip("street.avi");
  clip.packets.resize(8);
  clip.packets[1].pts.reset();
  clip.packets[2].dts.reset();
  clip.packets[3].dts = *clip.packets[3].dts - 100;
  clip.packets[3].side_data.push_back({12, Buffer::copy("skip ten samples")});
  clip.packets[4].data = {};
  clip.packets[5].flags |= packet_flags::kCorrupt | packet_flags::kDisposable;
  clip.packets[6].pts = -5000;
  clip.packets[7].duration = 123456;
  expect_round_trip(clip);
}

TEST(NutSegmentTest, TheSameSegmentGivesTheSameBytes) {
  auto clip = read_clip("street.avi");
  auto once = write_nut_segment(segment_of(clip), clip.tracks);
  auto again = write_nut_segment(segment_of(clip), clip.tracks);
  ASSERT_TRUE(once && again);
  EXPECT_EQ(once->flatten(), again->flatten());
}

TEST(NutSegmentTest, ALoneSegmentPlays) {
  auto clip = read_clip("street.avi");
  auto bytes = write_nut_segment(segment_of(clip), clip.tracks);
  ASSERT_TRUE(bytes);
  auto path = fs::temp_directory_path() / fmt::format("gopline-nut-{}.nut", getpid());
  auto flat = bytes->flatten();
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(flat.data()), static_cast<long>(flat.size()));
  auto decode =
      "ffmpeg -v error -xerror -i " + path.string() + " -map 0:v -f null - >/dev/null 2>&1 </dev/null";
  EXPECT_EQ(std::system(decode.c_str()), 0);
  fs::remove(path);
}

TEST(NutSegmentTest, DamageIsAnErrorAndNeverMore) {
  auto clip = read_clip("street.avi");
  clip.packets.resize(12);
  auto bytes = write_nut_segment(segment_of(clip), clip.tracks);
  ASSERT_TRUE(bytes);
  auto whole = bytes->flatten();
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::uint8_t> damaged(whole.bytes().begin(), whole.bytes().end());
    for (int i = 0; i <= round % 5; ++i)
      damaged[random() % damaged.size()] ^= static_cast<std::uint8_t>(1 + random() % 255);
    if (round % 3 == 0) damaged.resize(random() % damaged.size());
    auto result = read_nut_segment(Buffer::take(std::move(damaged)), clip.tracks);
    if (result) continue;
    EXPECT_THAT(result.error().code, testing::AnyOf(ErrorCode::kCorrupt, ErrorCode::kUnsupported));
  }
  EXPECT_EQ(read_nut_segment({}, clip.tracks).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(read_nut_segment(whole, {}).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace gopline::media
