#include "splitter/publisher.h"

#include "common/bytes/digest.h"
#include "common/catalog/history.h"
#include "common/log/null_log.h"
#include "common/record/event_type.h"
#include "splitter/publisher_fixture.h"

namespace gopline::splitter {
namespace {

using record::EventType;
using ::testing::ElementsAre;

TEST_F(PublisherTest, WritesAnEpoch) {
  auto publisher = open();
  ASSERT_TRUE(publish(*publisher, 0));
  ASSERT_TRUE(publish(*publisher, 1));
  auto summary = publisher->close(EndCause::kEndOfInput);
  ASSERT_TRUE(summary.has_value()) << summary.error().message;
  EXPECT_EQ(summary->segments, 2);
  EXPECT_EQ(summary->bytes, 2000u);
  EXPECT_EQ(summary->first_ordinal, Ordinal(0));
  EXPECT_THAT(types("gopline.segments"), ElementsAre("epoch.started", "segment", "segment", "epoch.ended"));
  EXPECT_THAT(types("gopline.index"), ElementsAre("index", "index", "index.hour"));
  EXPECT_THAT(types("gopline.streams"), ElementsAre("stream", "stream", "stream"));
}

TEST_F(PublisherTest, NumbersSegmentsAndIndexesThem) {
  auto publisher = open();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(publish(*publisher, i));
  ASSERT_TRUE(publisher->close(EndCause::kEndOfInput));
  auto stored = chunks();
  auto entries = index();
  ASSERT_EQ(stored.size(), 3u);
  ASSERT_EQ(entries.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(stored[i].segment.value, i);
    EXPECT_EQ(stored[i].ordinal.value, i);
    EXPECT_EQ(stored[i].discontinuities, 0);
    EXPECT_EQ(entries[i].segment.value, i);
    EXPECT_THAT(entries[i].offsets, ElementsAre(Offset(i + 1)));
    EXPECT_EQ(entries[i].time, time_of(i));
    EXPECT_EQ(entries[i].parts.size(), 1u);
    EXPECT_EQ(entries[i].parts[0].duration, (Rational{180000, 90000}));
    EXPECT_EQ(entries[i].epoch_offset, Offset(0));
  }
}

TEST_F(PublisherTest, TheStreamStateAccountsForEverything) {
  auto publisher = open();
  ASSERT_TRUE(publish(*publisher, 0));
  auto summary = publisher->close(EndCause::kStopped).value();
  auto now = state();
  EXPECT_EQ(now.partition, partition_for_key(kStream, 8));
  EXPECT_EQ(now.epoch, summary.epoch);
  EXPECT_EQ(now.ended, EndCause::kStopped);
  EXPECT_EQ(now.ordinal, Ordinal(0));
  EXPECT_EQ(now.segments, 1);
  EXPECT_EQ(now.position, Offset(2));
  EXPECT_EQ(now.index_position, Offset(1));
  EXPECT_EQ(now.first_time, time_of(0));
  EXPECT_EQ(now.last_time, time_of(1));
  EXPECT_EQ(now.started->tracks.size(), 1u);
}

TEST_F(PublisherTest, SplitsLargeSegmentsIntoChunks) {
  auto o = options();
  o.max_record_bytes = 4000;
  o.sha256 = true;
  auto publisher = open(o);
  ASSERT_TRUE(publish(*publisher, 0, 10'000));
  ASSERT_TRUE(publish(*publisher, 1, 100));
  ASSERT_TRUE(publisher->close(EndCause::kEndOfInput));
  auto stored = chunks();
  ASSERT_GE(stored.size(), 5u);
  auto last = stored.size() - 2;
  for (std::size_t i = 0; i < last; ++i) {
    EXPECT_EQ(stored[i].chunk, static_cast<std::int64_t>(i));
    EXPECT_FALSE(stored[i].last_chunk);
    EXPECT_FALSE(stored[i].size || stored[i].sha256 || stored[i].duration);
  }
  EXPECT_TRUE(stored[last].last_chunk);
  EXPECT_EQ(stored[last].size, 10'000u);
  EXPECT_EQ(stored[last + 1].previous_sha256, stored[last].sha256);
  EXPECT_EQ(index()[0].offsets.size(), last + 1);
  for (const auto& r : records("gopline.segments")) EXPECT_LE(r.value->size(), 4000u);
  auto stats = assemble();
  EXPECT_EQ(stats.segments, 2u);
  EXPECT_EQ(stats.corrupt + stats.lost_segments + stats.chain_breaks, 0u);
}

TEST_F(PublisherTest, AGapIsWrittenAndBreaks) {
  auto publisher = open();
  ASSERT_TRUE(publish(*publisher, 0));
  ASSERT_TRUE(publisher->gap(GapCause::kSourceOutage, time_of(1), time_of(2), 0));
  ASSERT_TRUE(publisher->gap(GapCause::kOverBudget, time_of(2), time_of(3), 77));
  ASSERT_TRUE(publish(*publisher, 3));
  ASSERT_TRUE(publisher->close(EndCause::kEndOfInput));
  EXPECT_THAT(types("gopline.segments"),
              ElementsAre("epoch.started", "segment", "gap", "gap", "segment", "epoch.ended"));
  auto entries = index();
  EXPECT_FALSE(entries[0].gap);
  ASSERT_TRUE(entries[1].gap);
  EXPECT_EQ(*entries[1].gap, (record::GapFacts{GapCause::kSourceOutage, time_of(1), time_of(3), 77}));
  EXPECT_EQ(entries[1].segment, SegmentNumber(1));
  EXPECT_EQ(entries[1].discontinuities, 1);
}

TEST_F(PublisherTest, EveryHourIsRolledUpOnce) {
  auto publisher = open();
  for (int hour = 0; hour < 3; ++hour) {
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(publisher->publish(segment(i),
                                     kStart + std::chrono::hours(hour) + std::chrono::seconds(2 * i), {}));
    }
  }
  ASSERT_TRUE(publisher->publish(segment(9), kStart, {}));  // a clock that went back
  ASSERT_TRUE(publisher->close(EndCause::kEndOfInput));
  std::vector<std::pair<std::string, std::int64_t>> hours;
  for (const auto& r : records("gopline.index")) {
    if (auto h = record::parse_index_hour(r.headers, *r.value)) {
      hours.emplace_back(h->hour, h->segments);
      EXPECT_EQ(h->entries.size(), static_cast<std::size_t>(h->segments));
    }
  }
  EXPECT_THAT(hours, ElementsAre(std::pair("2026-11-22T12", 2), std::pair("2026-11-22T13", 2),
                                 std::pair("2026-11-22T14", 3)));
}

// A writer that dies leaves what it had: chunks of an unfinished segment, segments without index entries.

TEST_F(PublisherTest, AFailedDeliveryIsToldAndWhatWasAcknowledgedIsExact) {
  auto publisher = open();
  ASSERT_TRUE(publish(*publisher, 0));
  while (publisher->summary().segments < 1) std::this_thread::yield();
  log_.hold_acknowledgements(true);
  log_.fail_next_appends(1, {ErrorCode::kOutOfSpace, "the disk is full"});
  auto published = publish(*publisher, 1);
  log_.hold_acknowledgements(false);
  auto closed = publisher->close(EndCause::kEndOfInput);
  ASSERT_FALSE(closed.has_value());
  EXPECT_EQ(closed.error().code, ErrorCode::kOutOfSpace);
  EXPECT_NE(closed.error().message.find(kStream), std::string::npos);
  EXPECT_LE(publisher->summary().segments, 2);
  EXPECT_EQ(publisher->summary().segments, static_cast<std::int64_t>(chunks().size()));
}

// What the log refused is stated where a reader would otherwise wait for it.

TEST_F(PublisherTest, FootageThatWasRefusedIsAGapBeforeTheEnd) {
  auto publisher = open();
  ASSERT_TRUE(publish(*publisher, 0));
  while (records("gopline.index").empty()) std::this_thread::yield();  // else that may be what fails
  log_.hold_acknowledgements(true);  // so that the failure is not known before all are handed over
  log_.fail_next_appends(2, {ErrorCode::kUnavailable, "no leader"});
  for (int i = 1; i < 4; ++i) ASSERT_TRUE(publish(*publisher, i));
  log_.fail_next_appends(1, {ErrorCode::kUnavailable, "no leader"});
  ASSERT_TRUE(publish(*publisher, 4));
  log_.hold_acknowledgements(false);
  EXPECT_EQ(publisher->close(EndCause::kEndOfInput).error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(types("gopline.segments"),
              ElementsAre("epoch.started", "segment", "segment", "gap", "gap", "epoch.ended"));
  std::vector<record::GapFacts> gaps;
  for (const auto& r : records("gopline.segments")) {
    if (auto gap = record::parse_gap(r.headers, *r.value)) gaps.push_back(gap->facts);
  }
  EXPECT_THAT(gaps, ElementsAre(record::GapFacts{GapCause::kLost, time_of(1), time_of(3), 2000},
                                record::GapFacts{GapCause::kLost, time_of(4), time_of(5), 1000}));
  auto stored = records("gopline.segments").back();
  EXPECT_EQ(record::parse_epoch_ended(stored.headers, *stored.value)->segments, 2);
}

TEST_F(PublisherTest, ASegmentThatFoundNoRoomInTimeIsNotLost) {
  auto publisher = open();
  StopSource stop;
  stop.request_stop();
  log_.hold_acknowledgements(true);
  ASSERT_TRUE(publish(*publisher, 0, 40 << 20));  // fills what may wait
  EXPECT_EQ(publisher->publish(segment(1), time_of(1), stop.get_token()).error().code, ErrorCode::kCancelled);
  log_.hold_acknowledgements(false);
  ASSERT_TRUE(publisher->close(EndCause::kStopped));
  EXPECT_THAT(types("gopline.segments"), ElementsAre("epoch.started", "segment", "epoch.ended"));
}

TEST_F(PublisherTest, AfterAFailureNothingMoreIsTaken) {
  auto publisher = open();
  log_.fail_next_appends(1, {ErrorCode::kUnavailable, "the log is away"});
  ASSERT_TRUE(publish(*publisher, 0));
  Result<void> result;
  while ((result = publish(*publisher, 1))) std::this_thread::yield();
  EXPECT_EQ(result.error().code, ErrorCode::kUnavailable);
}

TEST_F(PublisherTest, HeadersThatDoNotFitAreSaid) {
  auto o = options();
  o.max_record_bytes = 300;
  auto publisher = open(o);
  auto result = publish(*publisher, 0);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kTooLarge);
}

TEST_F(PublisherTest, BadStreamIdsAndNamespacesAreRefused) {
  auto o = options();
  o.stream = "a\nb";
  EXPECT_EQ(Publisher::open(log_, clock_, o).error().code, ErrorCode::kInvalidArgument);
  o = options();
  o.topic_namespace = "a b";
  EXPECT_EQ(Publisher::open(log_, clock_, o).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(PublisherTest, TheNullLogTakesEverything) {
  auto null = make_null_log();
  auto publisher = Publisher::open(*null, clock_, options()).value();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(publish(*publisher, i));
  EXPECT_EQ(publisher->close(EndCause::kEndOfInput).value().segments, 100);
}

TEST_F(PublisherTest, TheCatalogueFindsSegmentsByTimeAndEpoch) {
  auto publisher = open();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(publish(*publisher, i));
  auto first = publisher->close(EndCause::kEndOfInput).value();
  publisher = open();
  for (int i = 20; i < 22; ++i) ASSERT_TRUE(publish(*publisher, i));
  ASSERT_TRUE(publisher->gap(GapCause::kClock, time_of(22), time_of(23), 0));
  auto topics = record::topics_of();
  publisher->close(EndCause::kStopped).value();
  catalog::SegmentQuery query;
  query.from = time_of(3) + std::chrono::seconds(1);  // in the middle of 3
  query.to = time_of(5);                              // 5 begins here
  std::vector<std::int64_t> found;
  auto entries = catalog::find_segments(log_, topics, state(), query).value();
  for (const auto& e : entries) found.push_back(e.ordinal.value);
  EXPECT_THAT(found, ElementsAre(3, 4));
  query = {};
  query.epoch = state().epoch;
  EXPECT_EQ(catalog::find_segments(log_, topics, state(), query).value().size(), 2u);
  EXPECT_EQ(catalog::find_segments(log_, topics, state()).value().size(), 12u);

  auto epochs = catalog::read_epochs(log_, topics, state()).value();
  ASSERT_EQ(epochs.size(), 2u);
  EXPECT_EQ(epochs[0].started.epoch, first.epoch);
  EXPECT_EQ(epochs[0].ended->cause, EndCause::kEndOfInput);
  EXPECT_EQ(epochs[1].gaps.size(), 1u);
  EXPECT_EQ(epochs[1].ended->cause, EndCause::kStopped);
  auto found_epoch =
      catalog::find_epoch(log_, topics, state(), epochs[0].started.epoch, epochs[0].started.offset);
  EXPECT_EQ(found_epoch.value().marker.writer, epochs[0].started.marker.writer);
}

}  // namespace
}  // namespace gopline::splitter
