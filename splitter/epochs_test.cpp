// Epochs that follow each other, overlap, and make good what a dead writer left.
#include <thread>

#include "common/bytes/digest.h"
#include "common/media/demuxer.h"
#include "common/media/segment_builder.h"
#include "splitter/publisher_fixture.h"
#include "splitter/segmenter.h"

namespace gopline::splitter {
namespace {

using ::testing::ElementsAre;

TEST_F(PublisherTest, TheNextEpochGoesOn) {
  auto first = open();
  ASSERT_TRUE(publish(*first, 0));
  auto one = first->close(EndCause::kEndOfInput).value();
  auto second = open();
  ASSERT_TRUE(publish(*second, 0));
  ASSERT_TRUE(publish(*second, 1));
  auto two = second->close(EndCause::kEndOfInput).value();
  EXPECT_GT(two.epoch, one.epoch);
  EXPECT_EQ(two.first_ordinal, Ordinal(1));
  auto stored = chunks();
  EXPECT_EQ(stored[1].segment, SegmentNumber(0));
  EXPECT_EQ(stored[1].discontinuities, 1);
  EXPECT_EQ(stored[2].ordinal, Ordinal(2));
  EXPECT_EQ(stored[2].discontinuities, 1);
  EXPECT_EQ(two.epoch.value, 3);  // the offset of its epoch.started
}

TEST_F(PublisherTest, TheStreamStaysInItsPartition) {
  ASSERT_TRUE(open()->close(EndCause::kEndOfInput));
  auto partition = state().partition;
  ASSERT_TRUE(log_.add_partitions("gopline.segments", 31));
  ASSERT_TRUE(log_.add_partitions("gopline.index", 31));
  ASSERT_NE(partition_for_key(kStream, 31), partition) << "choose another name for this test";
  ASSERT_TRUE(open()->close(EndCause::kEndOfInput));
  EXPECT_EQ(state().partition, partition);
  EXPECT_EQ(log_.records({"gopline.segments", partition}).size(), 4u);
}

TEST_F(PublisherTest, ATopicMadeAnewRaisesTheBase) {
  auto first = open();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(publish(*first, i));
  ASSERT_TRUE(first->close(EndCause::kEndOfInput));
  auto second = open();
  auto two = second->close(EndCause::kEndOfInput).value();
  ASSERT_TRUE(log_.delete_topic("gopline.segments"));
  auto third = open();
  ASSERT_TRUE(publish(*third, 0));
  auto three = third->close(EndCause::kEndOfInput).value();
  EXPECT_GT(three.epoch, two.epoch);
  EXPECT_EQ(three.epoch.value, 1LL << 40);
  EXPECT_EQ(three.first_ordinal, Ordinal(5));
  EXPECT_EQ(state().epoch_base, 1LL << 40);
}

TEST_F(PublisherTest, WhatACrashLeftIsHealedAndCounted) {
  {
    auto publisher = open();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(publish(*publisher, i));
    ASSERT_TRUE(publisher->close(EndCause::kEndOfInput));
  }
  auto index_partition = TopicPartition{"gopline.index", state().partition};
  {
    auto publisher = open();
    ASSERT_TRUE(publish(*publisher, 3));
    ASSERT_TRUE(publisher->gap(GapCause::kSourceOutage, time_of(1), time_of(2), 5));
    ASSERT_TRUE(publisher->gap(GapCause::kClock, time_of(2), time_of(3), 7));
    ASSERT_TRUE(publish(*publisher, 4));
    publisher.reset();  // kill -9, as far as the log can tell
  }
  // As if it had died before any index entry of this epoch, and in the middle of a third segment.
  for (const auto& r : log_.records(index_partition)) {
    auto entry = record::parse_index_entry(r.headers, *r.value);
    if (entry && entry->ordinal > Ordinal(2)) {
      ASSERT_TRUE(log_.drop_record(index_partition, r.offset));
    }
  }
  auto half = chunks().back();
  half.segment = half.segment.next();
  half.ordinal = half.ordinal.next();
  half.last_chunk = false;
  half.duration.reset();
  half.size.reset();
  auto writer = log_.make_writer({}).value();
  ASSERT_TRUE(writer->append_and_wait(index_partition, {"another stream", BufferChain(), {}, clock_.now()}));
  ASSERT_TRUE(writer->append_and_wait({"gopline.segments", state().partition},
                                      {kStream, BufferChain(), record::encode(half), clock_.now()}));
  auto publisher = open();
  ASSERT_TRUE(publish(*publisher, 6));
  auto summary = publisher->close(EndCause::kEndOfInput).value();
  EXPECT_EQ(summary.first_ordinal, Ordinal(6)) << "the unfinished segment has used ordinal 5";
  std::vector<std::int64_t> ordinals;
  for (const auto& entry : index()) ordinals.push_back(entry.ordinal.value);
  EXPECT_THAT(ordinals, ElementsAre(0, 1, 2, 3, 4, 6));
  EXPECT_EQ(index()[4].gap, (record::GapFacts{GapCause::kSourceOutage, time_of(1), time_of(3), 12}));
  EXPECT_EQ(chunks().back().discontinuities, 3);
}

TEST_F(PublisherTest, OrdinalsOfLateRecordsAreIgnored) {
  auto first = open();
  ASSERT_TRUE(publish(*first, 0));
  auto second = open();
  ASSERT_TRUE(publish(*second, 0));
  for (int i = 1; i < 9; ++i) ASSERT_TRUE(publish(*first, i));  // it does not know yet
  ASSERT_TRUE(second->close(EndCause::kEndOfInput));
  auto summary = first->close(EndCause::kEndOfInput).value();
  EXPECT_TRUE(summary.late);
  EXPECT_EQ(state().epoch, EpochNumber(state().epoch_offset.value));
  auto third = open();
  EXPECT_EQ(third->summary().first_ordinal, Ordinal(2));
  EXPECT_GT(state().epoch, summary.epoch);
}

// Of three writers the second has begun, and is not heard of yet, when the first one ends and the third one
// begins.
TEST_F(PublisherTest, WhatIsLateBecauseOfAnEpochThatIsAnnouncedLaterIsIgnoredToo) {
  auto first = open();
  ASSERT_TRUE(publish(*first, 0));
  auto announced = state();
  auto marker = *announced.started;
  marker.writer = "the second one";
  const TopicPartition segments{"gopline.segments", announced.partition};
  auto writer = log_.make_writer({}).value();
  auto encoded = record::encode(marker);
  auto offset =
      writer->append_and_wait(segments, {kStream, BufferChain(encoded.value), encoded.headers, clock_.now()});
  for (int i = 1; i < 4; ++i) ASSERT_TRUE(publish(*first, i));
  ASSERT_FALSE(first->close(EndCause::kEndOfInput)->late) << "it has not heard of the second one";
  ASSERT_EQ(state().ordinal, Ordinal(3));

  log_.hold_acknowledgements(true);
  std::unique_ptr<Publisher> third;
  std::thread opening([&] { third = open(); });
  while (types("gopline.segments").back() != "epoch.started") std::this_thread::yield();
  announced.epoch = EpochNumber(offset->value);
  announced.epoch_offset = announced.position = *offset;
  announced.started = marker;
  announced.ordinal = Ordinal(0);
  encoded = record::encode(announced);
  ASSERT_TRUE(writer->append({"gopline.streams", PartitionId(0)},
                             {kStream, BufferChain(encoded.value), encoded.headers, clock_.now()},
                             [](Result<Offset>) {}));
  log_.hold_acknowledgements(false);
  opening.join();
  EXPECT_EQ(third->summary().first_ordinal, Ordinal(1));
}

TEST_F(PublisherTest, ASupersededWriterGoesOnAsHistory) {
  auto first = open();
  ASSERT_TRUE(publish(*first, 0));
  auto second = open();
  clock_.advance(std::chrono::minutes(1));
  for (int i = 1; !first->summary().late; ++i) ASSERT_TRUE(publish(*first, i));
  ASSERT_TRUE(publish(*first, 1000));
  ASSERT_TRUE(first->close(EndCause::kHandedOver));
  EXPECT_TRUE(chunks().back().late);
  EXPECT_EQ(state().epoch, second->summary().epoch) << "an older writer does not push the newer one aside";
}

TEST_F(PublisherTest, TheLowerPartitionWinsBetweenFirstWriters) {
  // Another first writer, with another partition count in mind, was a moment earlier.
  ASSERT_TRUE(log_.ensure_topic({"gopline.streams", 1, {}}));
  auto own = partition_for_key(kStream, 8);
  ASSERT_GT(own.value, 0) << "choose another name for this test";
  record::StreamState claim;
  claim.stream = kStream;
  claim.partition = PartitionId(own.value - 1);
  auto encoded = record::encode(claim);
  auto writer = log_.make_writer({}).value();
  ASSERT_TRUE(writer->append_and_wait({"gopline.streams", PartitionId(0)},
                                      {kStream, BufferChain(encoded.value), encoded.headers, clock_.now()}));
  ASSERT_TRUE(open()->close(EndCause::kEndOfInput));
  EXPECT_EQ(state().partition, claim.partition);
}

// Segments as they are really built: what a healer can read from them it must read.
TEST_F(PublisherTest, ASupersededWritersSegmentsAreHealedWhole) {
  auto demuxer = media::Demuxer::open({GOPLINE_SOURCE_DIR "/media/street_av1.mp4", false, {}, {}}).value();
  Segmenter segmenter(demuxer->tracks(), {});
  while (auto packet = demuxer->read().value()) segmenter.push(std::move(*packet));
  segmenter.finish();
  std::vector<media::Segment> segments;
  while (auto segment = segmenter.pop()) segments.push_back(std::move(*segment));
  ASSERT_GT(segments.size(), 2u);
  auto builder = media::SegmentBuilder::create(demuxer->tracks(), segments.front()).value();
  auto o = options();
  o.tracks = demuxer->tracks();
  o.init_xxh3 = builder->build(segments.front())->init_xxh3;

  auto first = open(o);
  auto second = open(o);  // the stream's state now counts from behind the first one's beginning
  for (const auto& segment : segments) {
    ASSERT_TRUE(first->publish(builder->build(segment).value(), kStart, {}));
  }
  ASSERT_TRUE(first->close(EndCause::kEndOfInput));
  auto written = index();
  ASSERT_EQ(written.size(), segments.size());
  auto where = TopicPartition{"gopline.index", state().partition};
  for (const auto& r : log_.records(where)) ASSERT_TRUE(log_.drop_record(where, r.offset));
  second.reset();  // it dies
  auto third = open(o);
  auto healed = index();
  for (auto& entry : written) entry.late = true;  // as a later reader knows
  EXPECT_EQ(healed, written);
}

}  // namespace
}  // namespace gopline::splitter
