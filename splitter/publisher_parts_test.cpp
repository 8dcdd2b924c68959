// A segment that is published part by part.
#include "common/bytes/digest.h"
#include "common/media/demuxer.h"
#include "common/media/segment_builder.h"
#include "common/media/segment_reader.h"
#include "splitter/publisher_fixture.h"
#include "splitter/segmenter.h"

namespace gopline::splitter {
namespace {

using ::testing::ElementsAre;

class PublisherParts : public PublisherTest {
 protected:
  // Part `part` of `count` of the segment `number`, each half a second.
  media::BuiltSegment part_of(int number, int part, int count, std::size_t size = 600) {
    auto s = segment(number, size);
    s.part = part;
    s.last_part = part + 1 == count;
    s.parts = {{1, part == 0 ? 100u : 0u, part == 0 ? size - 100 : size, 45000, part == 0 ? 1 : 0}};
    s.sap = part == 0 ? 1 : 0;
    s.start = number * 180000 + part * 45000;
    s.duration = 45000;
    return s;
  }
  Timestamp time_of_part(int number, int part) {
    return time_of(number) + part * std::chrono::milliseconds(500);
  }
  Result<void> publish_part(Publisher& publisher, int number, int part, int count, std::size_t size = 600) {
    return publisher.publish(part_of(number, part, count, size), time_of_part(number, part), {});
  }
  void publish_parts(Publisher& publisher, int number, int parts, int count) {
    for (int i = 0; i < parts; ++i) ASSERT_TRUE(publish_part(publisher, number, i, count));
  }
  std::vector<record::GapFacts> gaps() {
    std::vector<record::GapFacts> out;
    for (const auto& r : records("gopline.segments")) {
      if (auto gap = record::parse_gap(r.headers, *r.value)) out.push_back(gap->facts);
    }
    return out;
  }
};

TEST_F(PublisherParts, EachIsAChunkAtOnce) {
  auto publisher = open();
  for (int part = 0; part < 4; ++part) {
    ASSERT_TRUE(publish_part(*publisher, 0, part, 4));
    while (chunks().size() <= static_cast<std::size_t>(part)) std::this_thread::yield();
  }
  ASSERT_TRUE(publish(*publisher, 1));
  ASSERT_TRUE(publisher->close(EndCause::kEndOfInput));
  auto stored = chunks();
  ASSERT_EQ(stored.size(), 5u);
  for (int i = 0; i < 4; ++i) {
    const auto& h = stored[static_cast<std::size_t>(i)];
    EXPECT_EQ(h.segment, SegmentNumber(0));
    EXPECT_EQ(h.ordinal, Ordinal(0));
    EXPECT_EQ(h.chunk, i);
    EXPECT_EQ(h.last_chunk, i == 3);
    EXPECT_EQ(h.time, time_of(0)) << "every chunk repeats what the first says";
    EXPECT_EQ(h.start, (Rational{0, 90000}));
    EXPECT_EQ(h.sap, 1);
    EXPECT_EQ(h.size.has_value(), i == 3);
    EXPECT_EQ(h.duration.has_value(), i == 3);
  }
  EXPECT_EQ(stored[3].size, 2400u);
  EXPECT_EQ(stored[3].duration, (Rational{180000, 90000}));
  EXPECT_EQ(stored[4].segment, SegmentNumber(1));
  auto stats = assemble();
  EXPECT_EQ(stats.segments, 2u);
  EXPECT_EQ(stats.lost_segments + stats.corrupt, 0u);
}

TEST_F(PublisherParts, TheIndexEntryFollowsTheLast) {
  auto publisher = open();
  publish_parts(*publisher, 0, 3, 3);
  EXPECT_EQ(publisher->close(EndCause::kEndOfInput)->segments, 1);
  auto entries = index();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_THAT(entries[0].offsets, ElementsAre(Offset(1), Offset(2), Offset(3)));
  EXPECT_EQ(entries[0].size, 1800u);
  EXPECT_EQ(entries[0].duration, (Rational{135000, 90000}));
  ASSERT_EQ(entries[0].parts.size(), 3u);
  EXPECT_EQ(entries[0].parts[0].offset, 100u);
  EXPECT_EQ(entries[0].parts[1].offset, 600u);
  EXPECT_EQ(entries[0].parts[2].offset, 1200u);
}

TEST_F(PublisherParts, ALargePartIsSeveralChunks) {
  auto o = options();
  o.max_record_bytes = 2000;
  auto publisher = open(o);
  ASSERT_TRUE(publish_part(*publisher, 0, 0, 2, 5000));
  ASSERT_TRUE(publish_part(*publisher, 0, 1, 2, 700));
  ASSERT_TRUE(publisher->close(EndCause::kEndOfInput));
  auto stored = chunks();
  ASSERT_GE(stored.size(), 5u);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    EXPECT_EQ(stored[i].chunk, static_cast<std::int64_t>(i));
    EXPECT_EQ(stored[i].last_chunk, i + 1 == stored.size());
  }
  EXPECT_EQ(index()[0].offsets.size(), stored.size());
  EXPECT_EQ(assemble().segments, 1u);
}

TEST_F(PublisherParts, TheDigestIsOfTheWholeSegment) {
  auto o = options();
  o.sha256 = true;
  auto publisher = open(o);
  publish_parts(*publisher, 0, 3, 3);
  publish_parts(*publisher, 1, 2, 2);
  ASSERT_TRUE(publish(*publisher, 2));
  ASSERT_TRUE(publisher->close(EndCause::kEndOfInput));
  auto stored = chunks();
  ASSERT_EQ(stored.size(), 6u);
  EXPECT_FALSE(stored[0].sha256 || stored[1].sha256 || stored[3].previous_sha256);
  EXPECT_EQ(stored[4].previous_sha256, stored[2].sha256);
  EXPECT_EQ(stored[5].previous_sha256, stored[4].sha256);
  auto stats = assemble();
  EXPECT_EQ(stats.segments, 3u);
  EXPECT_EQ(stats.corrupt + stats.chain_breaks, 0u);
}

TEST_F(PublisherParts, AGapLeavesTheSegmentUnfinished) {
  auto publisher = open();
  publish_parts(*publisher, 0, 2, 4);
  ASSERT_TRUE(publisher->gap(GapCause::kOverBudget, time_of_part(0, 2), time_of(1), 77));
  EXPECT_EQ(publish_part(*publisher, 0, 2, 4).error().code, ErrorCode::kInvalidArgument);
  publish_parts(*publisher, 1, 2, 2);
  auto summary = publisher->close(EndCause::kEndOfInput);
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->segments, 1);
  EXPECT_THAT(types("gopline.segments"),
              ElementsAre("epoch.started", "segment", "segment", "gap", "segment", "segment", "epoch.ended"));
  auto stored = chunks();
  EXPECT_EQ(stored[2].segment, SegmentNumber(1)) << "its number is used up";
  EXPECT_EQ(stored[2].ordinal, Ordinal(1));
  EXPECT_EQ(stored[2].discontinuities, 1);
  auto entries = index();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].segment, SegmentNumber(1));
  EXPECT_EQ(entries[0].gap->bytes, 77u);
}

// What is told as lost begins where the parts end that are in the log.
TEST_F(PublisherParts, APartThatWasRefusedIsAGapBehindThoseThatAreThere) {
  auto publisher = open();
  publish_parts(*publisher, 0, 2, 4);
  while (chunks().size() < 2) std::this_thread::yield();
  log_.fail_next_appends(1, {ErrorCode::kUnavailable, "no leader"});
  for (int part = 2; part < 4; ++part) (void)publish_part(*publisher, 0, part, 4);
  EXPECT_FALSE(publisher->close(EndCause::kHandedOver));
  ASSERT_EQ(gaps().size(), 1u);
  EXPECT_EQ(gaps()[0].cause, GapCause::kLost);
  EXPECT_EQ(gaps()[0].from, time_of_part(0, 2));
  EXPECT_EQ(assemble().lost_segments, 1u);
}

// The clip's own parts, the writer dead after each chunk in turn: what follows goes on, and says where the
// footage ends.
TEST_F(PublisherParts, TheNextWriterGoesOnWhereTheDeadOnesPartsEnd) {
  auto demuxer = media::Demuxer::open({GOPLINE_SOURCE_DIR "/media/street.mp4", false, {}, {}}).value();
  SegmenterOptions low;
  low.latency = Latency::kLow;
  Segmenter segmenter(demuxer->tracks(), low);
  std::vector<media::Segment> parts;
  while (auto packet = demuxer->read().value()) {
    segmenter.push(std::move(*packet));
    while (auto part = segmenter.pop()) parts.push_back(std::move(*part));
    if (parts.size() > 12) break;
  }
  auto o = options();
  o.tracks = demuxer->tracks();
  std::int64_t ordinal = 0;
  for (std::size_t dies_after = 1; dies_after <= 12; ++dies_after) {
    SCOPED_TRACE(dies_after);
    auto builder = media::SegmentBuilder::create(demuxer->tracks(), parts.front()).value();
    auto publisher = open(o);
    auto end = kStart;
    std::int64_t segments = 0;
    for (std::size_t i = 0; i < dies_after; ++i) {
      auto built = builder->build(parts[i]).value();
      auto shown =
          Duration(rescale(built.first_pts - parts[0].first_pts, {1, built.timescale}, {1, 1'000'000}));
      ASSERT_TRUE(publisher->publish(built, kStart + shown, {}));
      if (built.part == 0) ++segments;
      auto since = built.start + built.duration - parts[0].start;
      end = kStart + Duration(rescale(since, {1, built.timescale}, {1, 1'000'000}));
    }
    auto before = publisher->summary().epoch;
    publisher.reset();  // kill -9, as far as the log can tell
    ordinal += segments;
    auto next = open(o);
    EXPECT_EQ(next->summary().first_ordinal, Ordinal(ordinal));
    EXPECT_GT(next->summary().epoch, before);
    ASSERT_TRUE(next->previous_end());
    EXPECT_LT(std::chrono::abs(*next->previous_end() - end), std::chrono::milliseconds(100));
    std::int64_t whole = 0;
    for (const auto& entry : index()) whole += entry.epoch == before ? 1 : 0;
    EXPECT_EQ(whole, parts[dies_after - 1].last_part ? segments : segments - 1);
    ASSERT_TRUE(next->close(EndCause::kStopped));
  }
}

}  // namespace
}  // namespace gopline::splitter
