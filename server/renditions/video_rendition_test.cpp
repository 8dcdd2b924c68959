#include "server/renditions/video_rendition.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "aggregator/test_stream.h"
#include "common/media/segment_reader.h"

namespace gopline::server {
namespace {

using aggregator::testing::ClipSegments;
using aggregator::testing::cut_clip;
using ::testing::ElementsAreArray;

const VideoRendition::IsWanted kWanted = [] { return true; };

StoredMedia stored(const ClipSegments& clip, std::size_t segment) {
  const auto& built = clip.segments[segment];
  return {built.bytes.flatten(), built.init_xxh3.empty(), {built.start, built.timescale}};
}

// The one fragment of a transcoded segment.
media::FragmentInfo read(const VideoRendition& rendition, const BufferChain& bytes, media::Track track) {
  BufferChain whole(*rendition.init());
  whole.append(bytes);
  track.codec.codec = "h264";
  auto fragments = media::read_fragments(whole.flatten(), {track});
  EXPECT_TRUE(fragments && fragments->size() == 1);
  return fragments ? std::move(fragments->front()) : media::FragmentInfo{};
}

std::vector<std::int64_t> shown_times(const std::vector<StoredPacket>& packets) {
  std::vector<std::int64_t> times;
  for (const auto& packet : packets) times.push_back(packet.shown);
  std::sort(times.begin(), times.end());
  return times;
}

// Every picture of every segment, each with that of the one before it that leads to it.
void expect_all_pictures(const ClipSegments& clip) {
  auto rendition = VideoRendition::of(clip.tracks);
  ASSERT_TRUE(rendition) << rendition.error().message;
  auto video = static_cast<std::size_t>(media::main_track_of(clip.tracks));
  std::optional<std::int64_t> end;
  for (std::size_t i = 0; i < clip.segments.size(); ++i) {
    std::vector<StoredMedia> group;
    if (i > 0 && rendition->needs_earlier(clip.segments[i].sap)) group.push_back(stored(clip, i - 1));
    group.push_back(stored(clip, i));
    auto bytes = rendition->fragment(group, kWanted);
    ASSERT_TRUE(bytes) << bytes.error().message;
    auto made = read(*rendition, *bytes, clip.tracks[video]);
    auto packets = *stored_packets(group.back(), clip.tracks, video);
    EXPECT_THAT(made.times, ElementsAreArray(shown_times(packets)));
    ASSERT_FALSE(made.packets.empty());
    EXPECT_TRUE(made.packets.front().is_key());
    for (std::size_t p = 0; p < made.packets.size(); ++p) EXPECT_EQ(made.packets[p].pts, made.packets[p].dts);
    if (end) {
      EXPECT_EQ(made.base_time, *end) << "a hole before segment " << i;
    }
    end = made.base_time + made.duration;
  }
}

TEST(VideoRendition, has_every_picture_of_open_gops_when_it_was_shown) {
  expect_all_pictures(cut_clip("street_hevc.mp4"));
}

TEST(VideoRendition, has_every_picture_of_what_fits_no_mp4) {
  expect_all_pictures(cut_clip("street.avi"));
}

TEST(VideoRendition, is_the_same_each_time_and_says_what_it_is) {
  auto clip = cut_clip("street_hevc.mp4");
  auto rendition = *VideoRendition::of(clip.tracks);
  std::vector<StoredMedia> group{stored(clip, 0), stored(clip, 1)};
  EXPECT_EQ(rendition.fragment(group, kWanted)->flatten(), rendition.fragment(group, kWanted)->flatten());
  EXPECT_EQ(rendition.codec().substr(0, 7), "avc1.64");
  EXPECT_EQ(rendition.width(), 768);
  EXPECT_EQ(rendition.height(), 576);
  auto init = media::read_init(*rendition.init());
  ASSERT_TRUE(init);
  EXPECT_EQ(init->tracks.front().sample_entry, "avc1");
}

TEST(VideoRendition, what_leads_to_the_first_pictures_may_be_lost) {
  auto clip = cut_clip("street_hevc.mp4");
  auto rendition = *VideoRendition::of(clip.tracks);
  EXPECT_TRUE(rendition.needs_earlier(clip.segments[1].sap));
  EXPECT_FALSE(rendition.needs_earlier(1));
  EXPECT_TRUE(rendition.needs_earlier(0));
  auto bytes = rendition.fragment({stored(clip, 1)}, kWanted);
  ASSERT_TRUE(bytes) << bytes.error().message;
  auto made = read(rendition, *bytes, clip.tracks[0]);
  auto all = *stored_packets(stored(clip, 1), clip.tracks, 0);
  EXPECT_LT(made.packets.size(), all.size());
  EXPECT_EQ(made.times.front(), all.front().shown) << "the key frame is there";
}

TEST(VideoRendition, ends_when_nobody_waits) {
  auto clip = cut_clip("street_hevc.mp4");
  auto rendition = *VideoRendition::of(clip.tracks);
  int asked = 0;
  auto made = rendition.fragment({stored(clip, 0)}, [&] { return ++asked < 5; });
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(asked, 5);
}

TEST(VideoRendition, of_sound_alone_there_is_none) {
  auto clip = cut_clip("door_g711.mkv");
  EXPECT_EQ(VideoRendition::of({clip.tracks[1]}).error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace gopline::server
