// Segments that leave in parts, beside the same segments when they leave whole.
#include <gtest/gtest.h>

#include <random>

#include "splitter/segmenter.h"
#include "splitter/test_packets.h"

namespace gopline::splitter {
namespace {

using media::MediaType;
using media::Packet;
using media::Segment;
using media::Track;
using namespace std::chrono_literals;

// A picture every 40 ms, a key frame every `gop` pictures.
std::vector<Packet> pictures(int count, int gop, std::int64_t from = 0) {
  std::vector<Packet> out;
  for (int i = 0; i < count; ++i) out.push_back(packet(0, from + i * 40, i % gop == 0, 40));
  return out;
}

SegmenterOptions low() {
  SegmenterOptions options;
  options.latency = Latency::kLow;
  return options;
}

std::vector<Segment> popped(Segmenter& segmenter) {
  std::vector<Segment> out;
  while (auto s = segmenter.pop()) out.push_back(std::move(*s));
  return out;
}

std::vector<Segment> cut(const std::vector<Track>& tracks, const std::vector<Packet>& packets,
                         SegmenterOptions options) {
  Segmenter segmenter(tracks, options);
  std::vector<Segment> out;
  for (const auto& p : packets) {
    segmenter.push(p);
    for (auto& s : popped(segmenter)) out.push_back(std::move(s));
  }
  segmenter.finish();
  for (auto& s : popped(segmenter)) out.push_back(std::move(s));
  EXPECT_EQ(segmenter.buffered_bytes(), 0u);
  return out;
}

// Parts put together again, as whoever reads them does.
std::vector<Segment> joined(const std::vector<Segment>& parts) {
  std::vector<Segment> out;
  for (const auto& part : parts) {
    if (part.part == 0) {
      out.push_back(part);
      continue;
    }
    auto& whole = out.back();
    EXPECT_FALSE(whole.last_part);
    EXPECT_EQ(part.part, whole.part + 1);
    EXPECT_EQ(part.sap, 0);
    EXPECT_FALSE(part.discontinuity);
    EXPECT_TRUE(part.new_tracks.empty());
    whole.part = part.part;
    whole.last_part = part.last_part;
    whole.duration += part.duration;
    whole.sample_bytes += part.sample_bytes;
    whole.runs.insert(whole.runs.end(), part.runs.begin(), part.runs.end());
  }
  return out;
}

// Everything that is said of a track's packets but where one run ends and the next begins.
std::vector<std::vector<std::int64_t>> packets_of(const Segment& segment, int track) {
  std::vector<std::vector<std::int64_t>> out;
  for (const auto& run : segment.runs) {
    if (run.track != track) continue;
    for (const auto& t : run.packets)
      out.push_back({run.origin, t.time, t.duration, t.dts, t.pts, t.packet.is_key()});
  }
  return out;
}

void expect_the_same(const std::vector<Track>& tracks, const std::vector<Packet>& packets,
                     SegmenterOptions options = {}) {
  auto whole = cut(tracks, packets, options);
  options.latency = Latency::kLow;
  auto parts = joined(cut(tracks, packets, options));
  ASSERT_EQ(parts.size(), whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_TRUE(parts[i].last_part);
    EXPECT_EQ(parts[i].sap, whole[i].sap);
    EXPECT_EQ(parts[i].discontinuity, whole[i].discontinuity);
    EXPECT_EQ(parts[i].start, whole[i].start);
    EXPECT_EQ(parts[i].first_pts, whole[i].first_pts);
    EXPECT_EQ(parts[i].duration, whole[i].duration);
    EXPECT_EQ(parts[i].sample_bytes, whole[i].sample_bytes);
    EXPECT_EQ(parts[i].new_tracks.size(), whole[i].new_tracks.size());
    for (int t = 0; t < static_cast<int>(tracks.size()); ++t)
      EXPECT_EQ(packets_of(parts[i], t), packets_of(whole[i], t)) << "segment " << i << ", track " << t;
  }
}

TEST(SegmenterParts, LeaveWhileTheSegmentIsOpen) {
  Segmenter segmenter(video_only(), low());
  std::vector<std::int64_t> starts, left_at;
  for (const auto& p : pictures(25, 100)) {  // a second of a GOP of four
    segmenter.push(p);
    for (const auto& part : popped(segmenter)) {
      EXPECT_EQ(part.part, static_cast<int>(starts.size()));
      EXPECT_FALSE(part.last_part);
      EXPECT_EQ(part.duration, 320);
      EXPECT_EQ(part.sap, part.part == 0 ? 1 : 0);
      starts.push_back(part.start);
      left_at.push_back(*p.dts);
    }
  }
  EXPECT_EQ(starts, (std::vector<std::int64_t>{0, 320, 640}));
  EXPECT_EQ(left_at, (std::vector<std::int64_t>{320, 640, 960})) << "with the first packet after them";
}

TEST(SegmenterParts, AreWholeSegmentsWhenTheyAreLonger) {
  auto parts = cut(video_only(), pictures(12, 6), [] {
    auto options = low();
    options.segment_duration = 200ms;
    return options;
  }());
  ASSERT_EQ(parts.size(), 2u);
  for (const auto& part : parts) EXPECT_TRUE(part.part == 0 && part.last_part);
}

TEST(SegmenterParts, CarryTheSoundWhoseDurationIsKnown) {
  std::vector<Packet> packets;
  for (int i = 0; i < 60; ++i) {
    packets.push_back(packet(0, i * 40, i % 50 == 0, 40));
    packets.push_back(packet(1, i * 40 + 7, true, 40));
  }
  auto parts = cut(video_and_audio(), packets, low());
  ASSERT_GT(parts.size(), 6u);
  EXPECT_EQ(packets_of(parts[0], 0).size(), 8u);
  EXPECT_EQ(packets_of(parts[0], 1).size(), 7u);  // the eighth ends where nobody knows yet
  EXPECT_EQ(packets_of(parts[1], 1).size(), 8u);
  EXPECT_EQ(parts[0].runs[0].track, 0) << "the main track first";
  expect_the_same(video_and_audio(), packets);
}

TEST(SegmenterParts, DoNotWaitForSoundThatHasStopped) {
  Segmenter segmenter(video_and_audio(), low());
  segmenter.push(packet(1, 0, true, 20));
  int parts = 0;
  for (const auto& p : pictures(120, 50)) {
    segmenter.push(p);
    for (const auto& part : popped(segmenter)) {
      ++parts;
      EXPECT_LE(*p.dts - (part.start + part.duration), 1100) << "part " << part.part;
    }
  }
  EXPECT_GE(parts, 14);
}

TEST(SegmenterParts, AreBoundedWhereTheMainTrackHasStopped) {
  std::vector<Packet> packets = pictures(3, 10);
  for (int i = 0; i < 250; ++i) packets.push_back(packet(1, i * 40, true, 40));
  auto parts = cut(video_and_audio(), packets, low());
  for (const auto& part : parts) EXPECT_LE(packets_of(part, 1).size(), 27u);
  EXPECT_GT(parts.size(), 10u);
  EXPECT_EQ(packets_of(parts[0], 0).size(), 2u) << "the first part begins the segment, whatever comes";
}

TEST(SegmenterParts, CountAgainstTheCapsOfTheirSegment) {
  SegmenterOptions options;
  options.max_segment_bytes = 305;
  expect_the_same(video_only(), pictures(200, 1000), options);
  options = {};
  options.max_segment_time = 1s;
  expect_the_same(video_only(), pictures(200, 1000), options);
}

TEST(SegmenterParts, SayDiscontinuitiesAndNewTracksOnce) {
  auto packets = pictures(60, 100, 100'000);
  for (auto& p : pictures(60, 100, 0)) packets.push_back(p);
  packets.push_back(packet(0, 2400, true, 40));
  packets.back().side_data.push_back({2, Buffer::copy(std::string_view("other"))});
  for (auto& p : pictures(60, 100, 2440)) packets.push_back(p);
  auto parts = joined(cut(video_only(), packets, low()));
  ASSERT_GE(parts.size(), 3u);
  EXPECT_TRUE(parts[1].discontinuity);
  EXPECT_EQ(parts[2].new_tracks.size(), 1u);
  expect_the_same(video_only(), packets);
}

TEST(SegmenterParts, AreNotMadeOfWhatNutCarries) {
  auto mp43 = video_only();
  mp43[0].codec.codec = "msmpeg4v3";
  for (const auto& segment : cut(mp43, pictures(120, 50), low())) {
    EXPECT_EQ(segment.part, 0);
    EXPECT_TRUE(segment.last_part);
  }
}

// Whatever comes, in whatever order the tracks' packets are delivered.
TEST(SegmenterParts, ChangeNothingButWhereFragmentsEnd) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    auto chance = [&](int percent) { return static_cast<int>(random() % 100) < percent; };
    std::vector<Packet> packets;
    std::int64_t next[2] = {static_cast<std::int64_t>(random() % 500),
                            static_cast<std::int64_t>(random() % 500)};
    for (int i = 0; i < 400; ++i) {
      int track = chance(10) ? static_cast<int>(random() % 2) : (next[0] <= next[1] ? 0 : 1);
      auto step = static_cast<std::int64_t>(track == 0 ? 20 + random() % 60 : 21);
      auto p = packet(track, next[track], track == 1 || i == 0 || chance(4), step, random() % 50);
      if (chance(30)) p.pts = *p.dts + static_cast<std::int64_t>(random() % 100);
      if (chance(1) && *p.dts > 300) p.dts = *p.dts - 200;
      packets.push_back(std::move(p));
      next[track] += step + (chance(1) ? static_cast<std::int64_t>(random() % 250) : 0);
    }
    SegmenterOptions options;
    options.part_duration = Duration(200'000 + random() % 300'000);
    options.max_segment_time = chance(50) ? 10s : 1500ms;
    SCOPED_TRACE(seed);
    expect_the_same(video_and_audio(), packets, options);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace gopline::splitter
