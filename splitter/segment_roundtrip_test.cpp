// What the demuxer delivers and what is read back from built segments are the same packets, for every clip in
// media/.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "common/media/demuxer.h"
#include "common/media/segment_builder.h"
#include "common/media/segment_reader.h"
#include "splitter/segmenter.h"

namespace gopline::splitter {
namespace {

using media::Packet;

std::vector<std::string> clips() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(GOPLINE_SOURCE_DIR "/media")) {
    auto extension = entry.path().extension();
    if (extension == ".mp4" || extension == ".mkv" || extension == ".avi")
      out.push_back(entry.path().filename().string());
  }
  std::ranges::sort(out);
  return out;
}

class SegmentRoundTrip : public ::testing::TestWithParam<std::string> {};

TEST_P(SegmentRoundTrip, GivesBackEveryPacketOfEveryTrack) {
  auto demuxer = media::Demuxer::open({GOPLINE_SOURCE_DIR "/media/" + GetParam(), false, {}, {}});
  ASSERT_TRUE(demuxer) << demuxer.error().message;
  const auto& tracks = (*demuxer)->tracks();
  std::map<int, std::vector<Packet>> sent, received;
  std::vector<media::Segment> segments;
  Segmenter segmenter(tracks, {});
  auto drain = [&] {
    while (auto segment = segmenter.pop()) segments.push_back(std::move(*segment));
  };
  for (;;) {
    auto packet = (*demuxer)->read();
    ASSERT_TRUE(packet) << packet.error().message;
    if (!*packet) break;
    sent[(*packet)->track].push_back(**packet);
    segmenter.push(std::move(**packet));
    drain();
  }
  segmenter.finish();
  drain();
  ASSERT_FALSE(segments.empty());
  EXPECT_EQ(segmenter.buffered_bytes(), 0u);

  auto builder = media::SegmentBuilder::create(tracks, segments.front());
  ASSERT_TRUE(builder) << builder.error().message;
  std::int64_t end = segments.front().start;
  for (const auto& segment : segments) {
    EXPECT_EQ(segment.start, end);
    end = segment.start + segment.duration;
    auto built = (*builder)->build(segment);
    ASSERT_TRUE(built) << built.error().message;
    auto packets = media::unpack_segment(built->bytes.flatten(), built->content_type, tracks);
    ASSERT_TRUE(packets) << packets.error().message;
    for (auto& packet : *packets) received[packet.track].push_back(std::move(packet));
  }
  for (const auto& [track, packets] : sent) {
    ASSERT_EQ(received[track].size(), packets.size()) << "track " << track;
    for (std::size_t i = 0; i < packets.size(); ++i) {
      const auto& a = packets[i];
      const auto& b = received[track][i];
      EXPECT_EQ(a.pts, b.pts) << "track " << track << " packet " << i;
      EXPECT_EQ(a.dts, b.dts) << "track " << track << " packet " << i;
      EXPECT_EQ(a.duration, b.duration) << "track " << track << " packet " << i;
      EXPECT_EQ(a.flags, b.flags) << "track " << track << " packet " << i;
      EXPECT_EQ(a.data, b.data) << "track " << track << " packet " << i;
      EXPECT_EQ(a.side_data, b.side_data) << "track " << track << " packet " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Media, SegmentRoundTrip, testing::ValuesIn(clips()), [](const auto& clip) {
  std::string name = clip.param;
  std::ranges::replace_if(
      name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

}  // namespace
}  // namespace gopline::splitter
