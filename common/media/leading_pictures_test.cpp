#include "common/media/leading_pictures.h"

#include <gmock/gmock.h>

#include "common/media/fragment_writer.h"
#include "common/media/segment_builder.h"
#include "common/media/segment_reader.h"

namespace gopline::media {
namespace {

using ::testing::ElementsAre;

constexpr std::int64_t kOrigin = 50;

TimedPacket timed(std::int64_t time, std::int64_t pts, std::uint32_t flags = 0) {
  TimedPacket t;
  t.time = time;
  t.duration = 40;
  t.dts = time + kOrigin;
  t.pts = pts + kOrigin;
  t.packet.dts = t.dts;
  t.packet.pts = t.pts;
  t.packet.duration = 40;
  t.packet.flags = flags;
  t.packet.data = Buffer::take(std::vector<std::uint8_t>(5, static_cast<std::uint8_t>(pts)));
  return t;
}

// An open GOP of seven pictures: two are shown before the access point, one of them lies behind a P picture.
Segment open_gop() {
  Segment segment;
  Run run{0, kOrigin, {}};
  run.packets = {timed(0, 120, packet_flags::kKey),
                 timed(40, 40),
                 timed(80, 240),
                 timed(120, 80),
                 timed(160, 200),
                 timed(200, 160),
                 timed(240, 280)};
  segment.runs = {run};
  segment.sap = 3;
  return segment;
}

std::vector<Track> tracks() {
  Track track;
  track.id = 1;
  track.time_base = {1, 1000};
  track.codec.type = MediaType::kVideo;
  track.codec.codec = "mpeg4";
  track.codec.width = track.codec.height = 16;
  track.codec.extradata = Buffer::copy(std::string_view("\0\0\1\xb0\1", 5));
  return {track};
}

Buffer built(const Segment& segment) {
  auto builder = SegmentBuilder::create(tracks(), segment);
  EXPECT_TRUE(builder) << builder.error().message;
  return (*builder)->build(segment)->bytes.flatten();
}

std::vector<std::int64_t> pts_of(const Buffer& segment) {
  std::vector<std::int64_t> pts;
  auto fragments = read_fragments(segment, tracks()).value();
  for (const auto& fragment : fragments) {
    for (const auto& packet : fragment.packets) pts.push_back(*packet.pts - kOrigin);
  }
  return pts;
}

TEST(LeadingPictures, AreThoseShownBeforeTheAccessPoint) {
  LeadingPictures leading(0, 170);
  std::vector<std::int64_t> found;
  const auto segment = open_gop();
  for (const auto& timed : segment.runs[0].packets) {
    if (leading.contain(timed.packet)) found.push_back(*timed.packet.pts - kOrigin);
  }
  EXPECT_THAT(found, ElementsAre(40, 80));
}

TEST(LeadingPictures, EndWithTheNextAccessPoint) {
  LeadingPictures leading(0, 170);
  EXPECT_FALSE(leading.contain(timed(280, 400, packet_flags::kKey).packet));
  EXPECT_FALSE(leading.contain(timed(320, 20).packet));
  EXPECT_FALSE(leading.may_follow());
}

TEST(LeadingPictures, OfOtherTracksOrWithoutATimeAreNone) {
  auto sound = timed(0, 20).packet, untimed = timed(0, 20).packet;
  sound.track = 1;
  untimed.pts.reset();
  LeadingPictures leading(0, 170);
  EXPECT_FALSE(leading.contain(sound));
  EXPECT_FALSE(leading.contain(untimed));
  LeadingPictures unknown(0, std::nullopt);
  EXPECT_FALSE(unknown.contain(timed(40, 40).packet));
}

TEST(WithoutLeading, OthersKeepTheirTimesAndBytes) {
  auto whole = built(open_gop());
  LeadingPictures leading(0, 170);
  auto rest = without_leading(whole, tracks(), leading);
  ASSERT_TRUE(rest) << rest.error().message;
  EXPECT_EQ(rest->dropped, 2U);
  EXPECT_THAT(pts_of(rest->bytes), ElementsAre(120, 240, 200, 160, 280));
  EXPECT_EQ(read_init(rest->bytes)->bytes, read_init(whole)->bytes);
  auto before = read_fragments(whole, tracks()).value()[0];
  auto after = read_fragments(rest->bytes, tracks()).value()[0];
  EXPECT_THAT(after.times, ElementsAre(0, 80, 160, 200, 240)) << "the picture before takes the time";
  EXPECT_EQ(after.duration, before.duration);
  EXPECT_EQ(after.packets[0].duration, 40) << "what the source said of it stays";
  EXPECT_EQ(after.packets[0].data, before.packets[0].data);
  EXPECT_EQ(after.packets[4].data, before.packets[6].data);
}

TEST(WithoutLeading, AFragmentOfLeadingPicturesAloneIsLeftOut) {
  auto segment = open_gop();
  auto all = segment.runs[0].packets;
  segment.runs.clear();
  for (std::size_t at : {0U, 1U, 2U}) {
    auto end = at == 2 ? all.size() : at + 1;
    segment.runs.push_back(
        {0,
         kOrigin,
         {all.begin() + static_cast<std::ptrdiff_t>(at), all.begin() + static_cast<std::ptrdiff_t>(end)}});
  }
  auto whole = built(segment);
  LeadingPictures leading(0, 170);
  auto rest = without_leading(whole, tracks(), leading);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->dropped, 2U);
  EXPECT_EQ(read_fragments(rest->bytes, tracks())->size(), 2U);
  EXPECT_THAT(pts_of(rest->bytes), ElementsAre(120, 240, 200, 160, 280));
}

TEST(WithoutLeading, WhereThereAreNoneTheBytesAreShared) {
  auto whole = built(open_gop());
  LeadingPictures leading(0, 0);
  auto rest = without_leading(whole, tracks(), leading);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->bytes.data(), whole.data());
}

}  // namespace
}  // namespace gopline::media
