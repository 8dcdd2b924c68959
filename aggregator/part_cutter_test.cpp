#include "aggregator/part_cutter.h"

#include <gtest/gtest.h>

#include "aggregator/test_stream.h"

namespace gopline::aggregator {
namespace {

using namespace testing;

class PartCutterTest : public ::testing::Test {
 protected:
  PartCutterTest() {
    headers_.epoch = EpochNumber(3);
    headers_.segment = SegmentNumber(1);
    headers_.time = kNoon;
    headers_.start = {built_.start, built_.timescale};
    headers_.sap = built_.sap;
    headers_.content_type = built_.content_type;
  }

  // Fragments [from, to) as a chunk; the first one with the init.
  record::OpenChunk chunk(std::size_t from, std::size_t to) const {
    auto begin = from == 0 ? 0 : built_.parts[from].offset;
    auto end = to == built_.parts.size() ? bytes_.size() : built_.parts[to].offset;
    return {headers_, bytes_.share(begin, end - begin), end - begin, false};
  }

  // When the first picture of a part was: they are cut by the number of pictures.
  Timestamp captured(std::size_t part) const {
    std::vector<std::int64_t> pts;
    for (const auto& packet : street_in_parts().packets_of[1]) {
      if (packet.track == 0) pts.push_back(*packet.pts);
    }
    auto since = pts[pts.size() * part / kParts] - pts.front();
    return kNoon + Duration(rescale(since, street_in_parts().tracks[0].time_base, {1, 1'000'000}));
  }

  const media::BuiltSegment& built_ = street_in_parts().segments[1];
  Buffer bytes_ = built_.bytes.flatten();
  std::size_t tracks_ = street_in_parts().tracks.size();
  record::SegmentHeaders headers_;
};

TEST_F(PartCutterTest, PartsFollowEachOtherInTime) {
  PartCutter cutter(headers_, street_in_parts().tracks);
  std::optional<Piece> before;
  std::size_t given = 0;
  for (std::size_t i = 0; i < kParts; ++i) {
    auto piece = cutter.add(chunk(i * tracks_, (i + 1) * tracks_));
    ASSERT_TRUE(piece) << i;
    EXPECT_EQ(piece->at, (Position{EpochNumber(3), 1, static_cast<std::int64_t>(i)}));
    EXPECT_FALSE(piece->last);
    EXPECT_EQ(piece->sap, i == 0 ? 1 : 0);
    EXPECT_GT(piece->duration, Duration(0));
    if (before) {
      EXPECT_EQ(piece->start, before->start + before->duration);
      given -= built_.init_size;  // each has it
    }
    EXPECT_EQ(piece->time, captured(i)) << "at its pts";
    given += piece->data.bytes.size();
    before = std::move(piece);
  }
  EXPECT_EQ(given, bytes_.size());
}

TEST_F(PartCutterTest, APartOfSoundAloneIsWhereTheOneBeforeEnded) {
  PartCutter cutter(headers_, street_in_parts().tracks);
  auto first = cutter.add(chunk(0, tracks_));
  ASSERT_TRUE(first);
  auto sound = cutter.add(chunk(tracks_ + 1, 2 * tracks_));
  ASSERT_TRUE(sound);
  EXPECT_EQ(sound->start, first->start + first->duration);
  EXPECT_EQ(sound->duration, Duration(0));
}

TEST_F(PartCutterTest, HalfAFragmentWaitsForItsRest) {
  PartCutter cutter(headers_, street_in_parts().tracks);
  auto whole = chunk(0, tracks_);
  auto half = whole, rest = whole;
  half.bytes = whole.bytes.share(0, 1000);
  rest.bytes = whole.bytes.share(1000, whole.bytes.size() - 1000);
  EXPECT_FALSE(cutter.add(half));
  auto piece = cutter.add(rest);
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->data.bytes.flatten(), whole.bytes);
  EXPECT_EQ(cutter.parts(), 1);
}

TEST_F(PartCutterTest, WhatCameOfAFragmentIsNotPlayed) {
  PartCutter cutter(headers_, street_in_parts().tracks);
  auto cut_off = chunk(0, built_.parts.size());
  cut_off.bytes = cut_off.bytes.share(0, built_.parts[2].offset + 100);
  EXPECT_FALSE(cutter.add(cut_off));
  auto piece = cutter.give_up();
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->data.bytes.size(), built_.parts[2].offset);
  EXPECT_FALSE(cutter.give_up()) << "100 bytes are no fragment";
}

TEST_F(PartCutterTest, ChunksOfAnotherSegmentOrWithoutFragmentsMakeNone) {
  PartCutter other(headers_, street_in_parts().tracks);
  auto foreign = chunk(0, tracks_);
  foreign.headers.ordinal = Ordinal(99);
  EXPECT_FALSE(other.add(foreign));
  EXPECT_FALSE(other.add(chunk(0, tracks_))) << "then the whole decides";
  PartCutter noise(headers_, street_in_parts().tracks);
  record::OpenChunk text{headers_, Buffer::copy(std::string_view("\0\0\0\x0cmdatnone", 12)), 12, false};
  EXPECT_FALSE(noise.add(text));
  EXPECT_FALSE(noise.give_up());
}

}  // namespace
}  // namespace gopline::aggregator
