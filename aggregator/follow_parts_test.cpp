// Following what a low-latency writer writes: parts of segments that are still open.
#include <gmock/gmock.h>

#include "aggregator/follow_fixture.h"
#include "common/media/demuxer.h"

namespace gopline::aggregator {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Bytes of a segment's first parts, with the init.
std::size_t size_of_parts(std::size_t segment, std::size_t parts) {
  const auto& built = street_in_parts().segments[segment];
  return parts == kParts ? built.bytes.size() : built.parts[parts * street_in_parts().tracks.size()].offset;
}

class FollowPartsTest : public FollowStreamTest {
 protected:
  std::string part_file() const { return options.aggregate.output + ".part"; }

  // The output has so many bytes: of what is being written.
  void wait_for(std::size_t size) const {
    while (contents(part_file()).size() < size) std::this_thread::yield();
  }
};

TEST_F(FollowPartsTest, WholeSegmentsComeOutAsTheyAre) {
  follow();
  auto epoch = stream.write_epoch(street_in_parts(), in_parts(-1));
  const auto& report = finish();
  EXPECT_TRUE(report.whole());
  EXPECT_EQ(report.output.segments, static_cast<std::int64_t>(street_in_parts().segments.size()));
  EXPECT_EQ(report.stats.pieces, street_in_parts().segments.size() * kParts);
  ASSERT_EQ(report.output.epochs.size(), 1U);
  EXPECT_EQ(report.output.epochs[0].segments, report.output.segments);
  EXPECT_EQ(contents(options.aggregate.output), aggregated(epoch));
}

TEST_F(FollowPartsTest, APartIsOutBeforeItsSegmentIsWhole) {
  follow();
  auto options_of_parts = in_parts(1);
  options_of_parts.only_chunks[0] = 2;
  options_of_parts.ended = false;
  stream.write_epoch(street_in_parts(), options_of_parts);
  wait_for(size_of_parts(0, 2));
  EXPECT_EQ(contents(part_file()),
            std::string(street_in_parts().segments[0].bytes.flatten().share(0, size_of_parts(0, 2)).text()));
  finish();
}

TEST_F(FollowPartsTest, ThroughAMuxerTheyAreThePackets) {
  auto muxed = [&](const std::string& name) {
    media::DemuxerOptions reading;
    reading.url = directory / name;
    auto demuxer = media::Demuxer::open(reading);
    std::vector<std::vector<std::string>> packets(street_in_parts().tracks.size());
    while (demuxer) {
      auto packet = (*demuxer)->read();
      if (!packet || !*packet) break;
      const auto& p = **packet;
      packets[static_cast<std::size_t>(p.track)].push_back(
          fmt::format("{} {} {}", p.pts.value_or(-1), p.dts.value_or(-1), xxh3_hex(p.data.bytes())));
    }
    return packets;
  };
  follow({}, "out.nut", "nut");
  auto epoch = stream.write_epoch(street_in_parts(), in_parts(-1));
  EXPECT_EQ(finish().output.packets, street_in_parts().packets.size());
  AggregateOptions all;
  all.selection.stream = kStream;
  all.selection.epochs = EpochSelection::one(epoch);
  all.output = directory / "all.nut";
  ASSERT_TRUE(aggregate(stream.log, all, {}, {}));
  EXPECT_EQ(muxed("out.nut"), muxed("all.nut"));
}

TEST_F(FollowPartsTest, WhatAWriterLeftIsPlayedAsFarAsItCame) {
  follow();
  auto unfinished = in_parts(3);
  unfinished.only_chunks[2] = 3;
  unfinished.ended = false;
  stream.write_epoch(street_in_parts(), unfinished);
  stream.write_epoch(street_in_parts(), {.start = kNoon + 10min, .segments = 1});
  const auto& report = finish();
  EXPECT_EQ(report.stats.pieces, 2 * kParts + 3 + 1);
  EXPECT_THAT(stated, ElementsAre("lost 2+1"));
  ASSERT_EQ(report.output.absences.size(), 1U);
  EXPECT_THAT(report.output.absences[0].reason, HasSubstr("what came whole before that is there"));
  EXPECT_EQ(report.output.epochs.size(), 2U);
}

TEST_F(FollowPartsTest, TheWritersGapEndsWhatItLeft) {
  follow();
  auto dropped = in_parts(3);
  dropped.only_chunks[1] = 2;
  dropped.gaps[2] = {record::GapCause::kOverBudget, kNoon, kNoon + 1s, 99};
  stream.write_epoch(street_in_parts(), dropped);
  const auto& report = finish();
  EXPECT_EQ(report.stats.pieces, kParts + 2 + kParts);
  EXPECT_THAT(stated, ElementsAre("lost 1+1", "over-budget"));
  EXPECT_EQ(report.gaps, 2U) << "one hole with two causes";
}

TEST_F(FollowPartsTest, OneThatIsDamagedGivesUpTheRestOfItsSegment) {
  auto epoch = stream.write_epoch(street_in_parts(), in_parts(3));
  ASSERT_TRUE(stream.log.flip_byte(stream.where, stream.offsets[{epoch, 1}][3], 100));
  follow(StreamPoint(stream.offsets[{epoch, 0}].front()));
  const auto& report = finish();
  EXPECT_EQ(report.stats.pieces, kParts + 3 + kParts);
  EXPECT_THAT(stated, ElementsAre("corrupt 1+1"));
}

TEST_F(FollowPartsTest, OnesThatComeTwiceArePlayedOnce) {
  auto epoch = stream.write_epoch(street_in_parts(), in_parts(3));
  ASSERT_TRUE(stream.log.repeat_record(stream.where, stream.offsets[{epoch, 1}][2]));
  follow(StreamPoint(stream.offsets[{epoch, 0}].front()));
  const auto& report = finish();
  EXPECT_TRUE(report.whole());
  EXPECT_EQ(report.stats.pieces, 3 * kParts);
  EXPECT_EQ(report.stats.duplicates, 1U);
}

TEST_F(FollowPartsTest, WhoJoinsInTheMiddleOfASegmentBeginsWithTheNext) {
  auto beginning = in_parts(2);
  beginning.only_chunks[1] = 2;
  beginning.ended = false;
  auto epoch = stream.write_epoch(street_in_parts(), beginning);
  follow();
  stream.write_rest(street_in_parts(), epoch, 1, 2, in_parts(-1));
  stream.go_on(street_in_parts(), epoch, in_parts(4), 2);
  const auto& report = finish();
  EXPECT_TRUE(report.whole());
  EXPECT_EQ(report.output.segments, 2);
  EXPECT_THAT(stated, IsEmpty());
}

TEST_F(FollowPartsTest, UntilEndsWithinASegment) {
  options.until = kNoon + 2s + 900ms;  // segments of two seconds, parts of 400 ms
  auto epoch = stream.write_epoch(street_in_parts(), in_parts(-1));
  follow(StreamPoint(stream.offsets[{epoch, 0}].front()));
  thread.join();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->whole());
  EXPECT_GT(result->stats.pieces, kParts);
  EXPECT_LT(result->stats.pieces, 2 * kParts);
  EXPECT_LT(*result->stats.reached, *options.until + 400ms);
}

// Chunks that end anywhere: a piece ends where one of them does so with a fragment, here the last.
TEST_F(FollowPartsTest, ChunksThatEndAnywhereMakeOnePiece) {
  follow();
  auto split = EpochOptions{.chunk_bytes = 20'001, .segments = 3};
  auto epoch = stream.write_epoch(street(), split);
  const auto& report = finish();
  EXPECT_TRUE(report.whole());
  EXPECT_EQ(report.stats.pieces, 3U);
  EXPECT_EQ(contents(options.aggregate.output), aggregated(epoch));
}

// An open GOP behind a gap, in parts: its leading pictures lie in more than one of them.
TEST_F(FollowPartsTest, LeadingPicturesBehindAGapAreLeftOutOfEveryPart) {
  auto open = cut_clip("street_hevc.mp4", 12);
  ASSERT_EQ(open.segments[2].sap, 3);
  const auto& gop = open.packets_of[2];
  auto leading = std::ranges::count_if(gop, [&](const auto& p) { return *p.pts < *gop.front().pts; });
  ASSERT_GT(leading, 0);
  follow();
  auto epoch_options = EpochOptions{.fragments_per_chunk = 1, .without = {1}, .segments = 4};
  stream.write_epoch(open, epoch_options);
  const auto& report = finish();
  EXPECT_EQ(report.output.leading_packets, static_cast<std::uint64_t>(leading));
  EXPECT_EQ(report.output.packets, open.packets_of[0].size() + gop.size() + open.packets_of[3].size() -
                                       report.output.leading_packets);
}

}  // namespace
}  // namespace gopline::aggregator
