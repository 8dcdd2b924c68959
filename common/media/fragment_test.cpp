// The fragment writer beside the fragment reader: what goes in comes out, and damage is told.
#include <gtest/gtest.h>

#include <limits>

#include "common/bytes/big_endian.h"
#include "common/media/boxes.h"
#include "common/media/exact_box.h"
#include "common/media/fragment_writer.h"
#include "common/media/segment_reader.h"

namespace gopline::media {
namespace {

Track make_track(Rational time_base = {1, 1000}) {
  Track track;
  track.id = 3;
  track.time_base = time_base;
  track.codec.type = MediaType::kVideo;
  track.codec.codec = "av1";
  return track;
}

// A packet on the timeline at `time` ticks from an origin of 50.
TimedPacket timed(std::int64_t time, std::int64_t duration, std::size_t size,
                  std::uint32_t flags = packet_flags::kKey) {
  TimedPacket t;
  t.time = time;
  t.duration = duration;
  t.dts = t.pts = time + 50;
  t.packet.dts = t.packet.pts = t.dts;
  t.packet.duration = duration;
  t.packet.flags = flags;
  t.packet.data = Buffer::take(std::vector<std::uint8_t>(size, static_cast<std::uint8_t>(time)));
  return t;
}

Result<std::vector<FragmentInfo>> round_trip(const Run& run, const Track& track = make_track()) {
  auto written = write_fragment(run, track, 7);
  if (!written) return tl::unexpected<Error>(written.error());
  return read_fragments(written->flatten(), {track});
}

void expect_same(const Packet& a, const Packet& b) {
  EXPECT_EQ(a.pts, b.pts);
  EXPECT_EQ(a.dts, b.dts);
  EXPECT_EQ(a.duration, b.duration);
  EXPECT_EQ(a.flags, b.flags);
  EXPECT_EQ(a.data, b.data);
  EXPECT_EQ(a.side_data, b.side_data);
}

TEST(Fragment, KeepsPlainPackets) {
  media::Run run{
      0, 50, {timed(100, 40, 5000), timed(140, 40, 10, 0), timed(180, 30, 0, packet_flags::kDisposable)}};
  auto fragments = round_trip(run);
  ASSERT_TRUE(fragments) << fragments.error().message;
  ASSERT_EQ(fragments->size(), 1u);
  const auto& fragment = fragments->front();
  EXPECT_EQ(fragment.sequence, 7u);
  EXPECT_EQ(fragment.track_id, 3);
  EXPECT_EQ(fragment.base_time, 100);
  EXPECT_EQ(fragment.duration, 110);
  ASSERT_EQ(fragment.packets.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) expect_same(run.packets[i].packet, fragment.packets[i]);
}

TEST(Fragment, KeepsReorderedPicturesWithNegativeOffsets) {
  auto a = timed(100, 40, 10), b = timed(140, 40, 10, 0);
  a.pts = 230, a.packet.pts = 230;
  b.pts = 100, b.packet.pts = 100;  // before its dts
  auto fragments = round_trip({0, 50, {a, b}});
  ASSERT_TRUE(fragments);
  expect_same(a.packet, (*fragments)[0].packets[0]);
  expect_same(b.packet, (*fragments)[0].packets[1]);
}

TEST(Fragment, KeepsWhatMp4CannotSay) {
  auto no_pts = timed(100, 40, 1), no_dts = timed(140, 40, 1), odd = timed(180, 40, 1),
       far = timed(220, 40, 1);
  no_pts.packet.pts.reset();
  no_dts.packet.dts.reset();
  odd.packet.duration = 17;
  odd.dts = 90, odd.packet.dts = 90;  // stepped back: not where the timeline is
  odd.packet.flags = packet_flags::kCorrupt | packet_flags::kDiscard;
  odd.packet.side_data = {{12, Buffer::copy(std::string_view("skip"))}, {2, {}}};
  far.pts = std::numeric_limits<std::int32_t>::max() * 10LL, far.packet.pts = far.pts;
  media::Run run{0, 50, {no_pts, no_dts, odd, far}};
  auto fragments = round_trip(run);
  ASSERT_TRUE(fragments) << fragments.error().message;
  for (std::size_t i = 0; i < 4; ++i) expect_same(run.packets[i].packet, (*fragments)[0].packets[i]);
}

TEST(Fragment, CountsTimelineTicksInTheDenominator) {
  auto packet = timed(0, 1001, 4);
  packet.dts = packet.pts = 8;
  packet.packet.dts = packet.packet.pts = 8;
  packet.packet.duration = 1;
  media::Run run{0, 8, {packet}};
  auto fragments = round_trip(run, make_track({1001, 30000}));
  ASSERT_TRUE(fragments);
  expect_same(packet.packet, (*fragments)[0].packets[0]);
}

TEST(Fragment, SharesLargePayloadsInsteadOfCopyingThem) {
  media::Run run{0, 50, {timed(0, 40, 100'000), timed(40, 40, 16)}};
  auto written = write_fragment(run, make_track(), 1);
  ASSERT_TRUE(written);
  EXPECT_EQ(written->buffers()[1].data(), run.packets[0].packet.data.data());
}

TEST(Fragment, RefusesEveryTruncationWithoutCrashing) {
  media::Run run{0, 50, {timed(0, 40, 64), timed(40, 30, 64, 0)}};
  auto track = make_track();
  auto whole = write_fragment(run, track, 1)->flatten();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    auto fragments = read_fragments(whole.share(0, size), {track});
    EXPECT_TRUE(!fragments || fragments->empty()) << size;
  }
}

TEST(Fragment, RefusesAnUnknownTrackAndAForeignMoof) {
  media::Run run{0, 50, {timed(0, 40, 8)}};
  auto other = make_track();
  other.id = 9;
  EXPECT_EQ(read_fragments(write_fragment(run, make_track(), 1)->flatten(), {other}).error().code,
            ErrorCode::kCorrupt);
  EXPECT_EQ(write_fragment({0, 0, {}}, make_track(), 1).error().code, ErrorCode::kInvalidArgument);
}

TEST(ExactBox, RefusesOtherVersionsAndLengthsThatDoNotAddUp) {
  ExactBoxWriter writer(-5);
  writer.add_s64(ExactKind::kDuration, 1, 9);
  ByteWriter out;
  writer.write(out);
  std::vector<std::uint8_t> payload(out.bytes().begin() + 24, out.bytes().end());
  auto box = read_exact_box(payload);
  ASSERT_TRUE(box);
  EXPECT_EQ(box->origin, -5);
  ASSERT_EQ(box->entries.size(), 1u);
  payload.push_back(0);
  EXPECT_EQ(read_exact_box(payload).error().code, ErrorCode::kCorrupt);
  payload.pop_back();
  payload[0] = 2;
  EXPECT_EQ(read_exact_box(payload).error().code, ErrorCode::kUnsupported);
}

TEST(ExactBox, SaysWhenItIsFull) {
  ExactBoxWriter writer(0);
  for (int i = 0; i < 65535; ++i) ASSERT_TRUE(writer.add(ExactKind::kNoPts, 0));
  EXPECT_FALSE(writer.add(ExactKind::kNoPts, 0));
}

// One byte at a time, or all at once: it is behind a box exactly where one ends.
TEST(BoxEnds, KnowsWhereBoxesEndHoweverTheyCome) {
  auto written = write_fragment({0, 50, {timed(0, 40, 100), timed(40, 40, 16)}}, make_track(), 1)->flatten();
  ByteWriter large;
  large.u32(1);
  large.text("mdat");
  large.u64(20);
  large.u32(0xAABBCCDD);
  std::vector<std::uint8_t> bytes(written.bytes().begin(), written.bytes().end());
  bytes.insert(bytes.end(), large.bytes().begin(), large.bytes().end());
  BoxEnds ends;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    ends.add(std::span(bytes).subspan(i, 1));
    bool is_end = i + 1 == written.size() || i + 1 == bytes.size();
    EXPECT_EQ(ends.is_behind("mdat"), is_end) << i;
  }
  BoxEnds at_once;
  at_once.add(bytes);
  EXPECT_TRUE(at_once.is_behind("mdat"));
  EXPECT_FALSE(at_once.is_behind("moof"));
}

TEST(BoxEnds, WhatIsNoBoxEndsNowhere) {
  for (std::uint32_t size : {0u, 2u, 7u}) {
    ByteWriter bad;
    bad.u32(size);
    bad.text("mdat");
    BoxEnds ends;
    ends.add(bad.bytes());
    EXPECT_FALSE(ends.is_behind("mdat")) << size;
    ends.add(bad.bytes());
    EXPECT_FALSE(ends.is_behind("mdat")) << size;
  }
}

TEST(BoxWalker, TakesLargeSizesAndRefusesWrongOnes) {
  ByteWriter out;
  out.u32(1);
  out.text("free");
  out.u64(20);
  out.u32(0xAABBCCDD);
  BoxView box;
  BoxWalker good(out.bytes());
  ASSERT_TRUE(good.next(box));
  EXPECT_EQ(box.payload.size(), 4u);
  EXPECT_FALSE(good.next(box));
  EXPECT_FALSE(good.failed());
  for (std::uint32_t size : {2u, 7u, 999u}) {
    ByteWriter bad;
    bad.u32(size);
    bad.text("free");
    BoxWalker walker(bad.bytes());
    EXPECT_FALSE(walker.next(box));
    EXPECT_TRUE(walker.failed()) << size;
  }
}

}  // namespace
}  // namespace gopline::media
