#include "splitter/segmenter.h"

#include <gtest/gtest.h>

#include "splitter/test_packets.h"

namespace gopline::splitter {
namespace {

using media::MediaType;
using media::Packet;
using media::Track;
using std::chrono::seconds;

std::vector<media::Segment> run(Segmenter& segmenter, const std::vector<Packet>& packets) {
  std::vector<media::Segment> out;
  for (const auto& p : packets) {
    segmenter.push(p);
    while (auto s = segmenter.pop()) out.push_back(std::move(*s));
  }
  segmenter.finish();
  while (auto s = segmenter.pop()) out.push_back(std::move(*s));
  return out;
}

std::vector<media::Segment> run(std::vector<Track> tracks, const std::vector<Packet>& packets,
                                SegmenterOptions options = {}) {
  Segmenter segmenter(std::move(tracks), options);
  return run(segmenter, packets);
}

std::vector<std::int64_t> starts(const std::vector<media::Segment>& segments) {
  std::vector<std::int64_t> out;
  for (const auto& s : segments) out.push_back(s.start);
  return out;
}

// One packet every 500 ms from `from` on, a key frame every `gop` packets.
std::vector<Packet> video(int count, int gop, std::int64_t from = 0) {
  std::vector<Packet> out;
  for (int i = 0; i < count; ++i) out.push_back(packet(0, from + i * 500, i % gop == 0));
  return out;
}

TEST(Segmenter, CutsAtTheFirstAccessPointOfANewDuration) {
  auto segments = run(video_only(), video(12, 1));  // every packet a key frame, D = 2 s
  EXPECT_EQ(starts(segments), (std::vector<std::int64_t>{0, 2000, 4000}));
  for (const auto& s : segments) EXPECT_EQ(s.duration, 2000);
}

TEST(Segmenter, NeverCutsInsideAGop) {
  auto segments = run(video_only(), video(12, 5));  // key frames at 0, 2500, 5000
  EXPECT_EQ(starts(segments), (std::vector<std::int64_t>{0, 2500, 5000}));
}

TEST(Segmenter, ComparesTimeOnTheTimelineNotTheSourcesClock) {
  auto segments = run(video_only(), video(12, 1, 777'700));
  EXPECT_EQ(starts(segments), (std::vector<std::int64_t>{0, 2000, 4000}));
  EXPECT_EQ(segments[1].runs[0].origin, 777'700);
}

TEST(Segmenter, CutsExactlyOnOddTimeBases) {
  // 30000/1001 fps: the 60th frame is at 2.002 s, the first beyond 2 s.
  auto tracks = std::vector{track(1, MediaType::kVideo, {1001, 30000})};
  std::vector<Packet> packets;
  for (int i = 0; i < 100; ++i) packets.push_back(packet(0, i, true, 1));
  auto segments = run(tracks, packets);
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_EQ(segments[0].runs[0].packets.size(), 60u);
  EXPECT_EQ(segments[1].start, 60 * 1001);
}

TEST(Segmenter, ContinuesALongGopByTimeAndCutsAtTheNextAccessPointAfterIt) {
  auto packets = video(26, 100);  // one key frame, 13 s
  for (auto& p : video(2, 1, 13'000)) packets.push_back(p);
  auto segments = run(video_only(), packets);
  EXPECT_EQ(starts(segments), (std::vector<std::int64_t>{0, 10'000, 13'000}));
  EXPECT_EQ(segments[0].sap, 1);
  EXPECT_EQ(segments[1].sap, 0);
  EXPECT_EQ(segments[2].sap, 1);
}

TEST(Segmenter, ContinuesByBytesBeforeThePacketThatWouldReachThem) {
  SegmenterOptions options;
  options.max_segment_bytes = 35;
  auto segments = run(video_only(), video(7, 100), options);  // 10 bytes each
  ASSERT_EQ(segments.size(), 3u);
  EXPECT_EQ(segments[0].sample_bytes, 30u);
  EXPECT_EQ(segments[1].sap, 0);
}

TEST(Segmenter, BeginsWithSapZeroBeforeTheFirstAccessPointAndCutsThere) {
  auto packets =
      std::vector{packet(0, 0, false), packet(0, 500, false), packet(0, 1000, true), packet(0, 1500, false)};
  auto segments = run(video_only(), packets);
  EXPECT_EQ(starts(segments), (std::vector<std::int64_t>{0, 1000}));
  EXPECT_EQ(segments[0].sap, 0);
  EXPECT_EQ(segments[1].sap, 1);
}

TEST(Segmenter, PutsOtherTracksWhereTheyAreDelivered) {
  auto packets = std::vector{packet(0, 0, true), packet(1, 0, true, 1000), packet(0, 2000, true, 2000),
                             packet(1, 1000, true, 1000), packet(1, 2000, true, 1000)};
  auto segments = run(video_and_audio(), packets);
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_EQ(segments[0].runs.size(), 2u);
  EXPECT_EQ(segments[1].runs[1].packets.size(), 2u);
  EXPECT_EQ(segments[1].runs[1].packets[0].time, 1000);
  EXPECT_EQ(segments[0].runs[1].packets[0].duration, 1000);  // known from the next segment's packet
}

TEST(Segmenter, TakesT0FromTheTrackThatBeginsFirst) {
  auto packets = std::vector{packet(0, 300, true), packet(1, 100, true), packet(0, 800, false)};
  Segmenter segmenter(video_and_audio(), {});
  auto segments = run(segmenter, packets);
  EXPECT_EQ(segments[0].start, 200);
  EXPECT_TRUE((segmenter.t0() == Rational{1, 10}));
}

TEST(Segmenter, WaitsAtMostASecondForAMissingTrack) {
  Segmenter segmenter(video_and_audio(), {});
  for (int i = 0; i < 20; ++i) segmenter.push(packet(0, i * 500, i % 4 == 0));
  EXPECT_TRUE(segmenter.pop());
}

TEST(Segmenter, GivesAPacketBeforeT0TimeZero) {
  // The audio track shows up 2 s late with an earlier timestamp.
  auto packets = video(6, 4, 5000);
  packets.push_back(packet(1, 4500, true));
  auto segments = run(video_and_audio(), packets);
  const auto& last = segments.back();
  const auto& audio = last.runs.back().packets.front();
  EXPECT_EQ(audio.time, 0);
  EXPECT_EQ(audio.dts, 4500);
}

TEST(Segmenter, KeepsSmallStepsBackAsDurationZero) {
  auto packets =
      std::vector{packet(0, 0, true), packet(0, 500, false), packet(0, 400, false), packet(0, 1000, false)};
  auto segments = run(video_only(), packets);
  ASSERT_EQ(segments.size(), 1u);
  const auto& p = segments[0].runs[0].packets;
  EXPECT_EQ(p[1].duration, 0);
  EXPECT_EQ(p[2].time, 500);
  EXPECT_EQ(p[2].dts, 400);
  EXPECT_EQ(p[3].time, 1000);
}

TEST(Segmenter, CutsWhereTimestampsJumpBackAndGoesOn) {
  auto packets = video(4, 10, 100'000);
  for (auto& p : video(4, 10, 0)) packets.push_back(p);
  auto segments = run(video_only(), packets);
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_FALSE(segments[0].discontinuity);
  EXPECT_TRUE(segments[1].discontinuity);
  EXPECT_EQ(segments[1].start, 2000);
  EXPECT_EQ(segments[1].runs[0].packets[0].dts, 0);
}

TEST(Segmenter, CutsOnceWhenBothTracksJump) {
  std::vector<Packet> packets;
  for (int i = 0; i < 4; ++i)
    packets.push_back(packet(0, 50'000 + i * 500, i == 0)),
        packets.push_back(packet(1, 50'000 + i * 500, true));
  packets.push_back(packet(0, 0, true));       // video jumps first ...
  packets.push_back(packet(1, 52'000, true));  // ... audio still ends its old timeline ...
  packets.push_back(packet(1, 0, true));       // ... and follows
  packets.push_back(packet(0, 500, false));
  auto segments = run(video_and_audio(), packets);
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_EQ(segments[1].runs.size(), 3u);  // one of video, two of audio with an origin each
  EXPECT_NE(segments[1].runs[1].origin, segments[1].runs[2].origin);
}

TEST(Segmenter, TakesATimeLapseAndSparseSubtitlesForWhatTheyAre) {
  std::vector<Packet> lapse;
  for (int i = 0; i < 5; ++i) lapse.push_back(packet(0, i * 60'000, true, 60'000));
  for (const auto& s : run(video_only(), lapse)) EXPECT_FALSE(s.discontinuity);

  auto tracks =
      std::vector{track(1, MediaType::kVideo, {1, 1000}), track(2, MediaType::kSubtitle, {1, 1000})};
  auto packets = video(100, 4);
  packets.insert(packets.begin() + 1, packet(1, 0, true));
  packets.insert(packets.begin() + 90, packet(1, 44'000, true));
  for (const auto& s : run(tracks, packets)) EXPECT_FALSE(s.discontinuity);
}

TEST(Segmenter, CutsAtAPauseThatIsTooLongAndTakesSlowPicturesForWhatTheyAre) {
  SegmenterOptions options;
  options.longest_pause = std::chrono::seconds(2);
  auto packets = video(100, 4);
  for (std::size_t i = 50; i < packets.size(); ++i) {
    *packets[i].dts += 3000;
    *packets[i].pts += 3000;
  }
  auto segments = run(video_only(), packets, options);
  EXPECT_EQ(std::ranges::count_if(segments, [](const auto& s) { return s.discontinuity; }), 1);
  EXPECT_EQ(segments.back().start + segments.back().duration, 50'000) << "the timeline has no hole";

  std::vector<Packet> slow;
  for (int i = 0; i < 8; ++i) slow.push_back(packet(0, i * 5000, true, 40));
  segments = run(video_only(), slow, options);
  EXPECT_EQ(std::ranges::count_if(segments, [](const auto& s) { return s.discontinuity; }), 1)
      << "the first step alone cannot be told from a pause";
}

TEST(Segmenter, BoundsASegmentWhoseMainTrackHasEnded) {
  std::vector<Packet> packets{packet(0, 0, true)};
  for (int i = 0; i < 100; ++i) packets.push_back(packet(1, i * 500, true));
  auto segments = run(video_and_audio(), packets);
  ASSERT_GE(segments.size(), 4u);
  EXPECT_EQ(segments[1].sap, 0);
  EXPECT_EQ(segments[1].start, 500);
  EXPECT_EQ(segments[1].duration, 0);
}

TEST(Segmenter, ResolvesMissingDtsFromTheNextKnownOne) {
  auto first = packet(0, 0, true), second = packet(0, 0, false);
  first.dts.reset();
  second.dts.reset();
  auto segments = run(video_only(), {first, second, packet(0, 1000, false)});
  const auto& p = segments[0].runs[0].packets;
  EXPECT_EQ(p[0].dts, 0);
  EXPECT_EQ(p[1].dts, 500);
  EXPECT_FALSE(p[0].packet.dts);
}

TEST(Segmenter, CountsOnWhereTheSourceHasNoTimestampsAtAll) {
  std::vector<Packet> packets;
  for (int i = 0; i < 1000; ++i) {
    packets.push_back(packet(0, 0, true));
    packets.back().dts.reset();
    packets.back().pts.reset();
  }
  auto segments = run(video_only(), packets);
  EXPECT_EQ(segments.back().start + segments.back().duration, 500'000);
}

TEST(Segmenter, SurvivesZeroLengthPacketsAndNoPackets) {
  EXPECT_TRUE(run(video_only(), {}).empty());
  auto segments = run(video_only(), {packet(0, 0, true, 0, 0)});
  ASSERT_EQ(segments.size(), 1u);
  EXPECT_EQ(segments[0].sample_bytes, 0u);
}

TEST(Segmenter, AnnouncesNewExtradataAndCuts) {
  auto changed = packet(0, 500, true);
  changed.side_data.push_back({2, Buffer::copy(std::string_view("other"))});
  auto segments = run(video_only(), {packet(0, 0, true), changed, packet(0, 1000, false)});
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_TRUE(segments[0].new_tracks.empty());
  ASSERT_EQ(segments[1].new_tracks.size(), 1u);
  EXPECT_EQ(segments[1].new_tracks[0].codec.extradata.text(), "other");
}

}  // namespace
}  // namespace gopline::splitter
