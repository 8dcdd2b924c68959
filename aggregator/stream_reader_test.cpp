#include "aggregator/stream_reader.h"

#include <gmock/gmock.h>

#include "aggregator/test_stream.h"

namespace gopline::aggregator {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A sequence in words: "epoch 0", "0", "1", "lost 2+1", ...
struct Reading {
  std::vector<std::string> items;
  std::vector<Absence> absences;
  StreamReaderStats stats;
};

Reading read(TestStream& stream, const Selection& selection) {
  Reading reading;
  auto reader = StreamReader::open(stream.log, selection, {});
  if (!reader) {
    reading.items.push_back(reader.error().message);
    return reading;
  }
  for (;;) {
    auto item = (*reader)->next();
    if (!item) {
      reading.items.push_back(item.error().message);
      break;
    }
    if (!*item) break;
    if (const auto* epoch = std::get_if<EpochBegin>(&**item)) {
      reading.items.push_back(
          fmt::format("epoch {}{}", epoch->started.epoch, epoch->from_its_start ? "" : " from the middle"));
    } else if (const auto* segment = std::get_if<SegmentData>(&**item)) {
      reading.items.push_back(fmt::format("{}", segment->headers.segment));
      EXPECT_GE(segment->pinned_bytes, segment->bytes.size());
      auto number = static_cast<std::size_t>(segment->headers.segment.value);
      EXPECT_EQ(segment->bytes.flatten(), street().segments[number].bytes.flatten());
    } else {
      const auto& absence = std::get<Absence>(**item);
      reading.absences.push_back(absence);
      auto which =
          absence.first_segment ? fmt::format(" {}+{}", *absence.first_segment, absence.segments) : "";
      reading.items.push_back(fmt::format("{}{}", to_string(absence.cause), which));
    }
  }
  reading.stats = (*reader)->stats();
  return reading;
}

EpochOptions few(std::int64_t segments = 4) {
  EpochOptions options;
  options.segments = segments;
  return options;
}

std::size_t bytes_of(const ClipSegments& clip, std::initializer_list<std::size_t> segments) {
  std::size_t sum = 0;
  for (auto i : segments) sum += clip.segments[i].bytes.size();
  return sum;
}

TEST(StreamReaderTest, ReadsAnEpochInOrder) {
  TestStream stream;
  stream.write_epoch(street(), few());
  auto reading = read(stream, select());
  EXPECT_THAT(reading.items, ElementsAre("epoch 0", "0", "1", "2", "3"));
  EXPECT_EQ(reading.stats.segments, 4u);
  EXPECT_EQ(reading.stats.payload_bytes, bytes_of(street(), {0, 1, 2, 3}));
}

TEST(StreamReaderTest, PutsChunksTogetherAgain) {
  TestStream stream;
  auto options = few();
  options.chunk_bytes = 10'000;
  stream.write_epoch(street(), options);
  EXPECT_THAT(read(stream, select()).items, ElementsAre("epoch 0", "0", "1", "2", "3"));
}

TEST(StreamReaderTest, StatesWhatNobodyWrote) {
  TestStream stream;
  auto options = few();
  options.without = {1, 2};
  options.ended = true;
  stream.write_epoch(street(), options);
  auto reading = read(stream, select());
  EXPECT_THAT(reading.items, ElementsAre("epoch 0", "0", "lost 1+2", "3"));
  EXPECT_EQ(reading.absences[0].to, kNoon + std::chrono::seconds(6));
}

TEST(StreamReaderTest, StatesSegmentsThatTheEndMarkerCountsAndNobodyFinds) {
  TestStream stream;
  auto options = few();
  options.without = {3};
  stream.write_epoch(street(), options);
  EXPECT_THAT(read(stream, select()).items, ElementsAre("epoch 0", "0", "1", "2", "lost 3+1"));
}

TEST(StreamReaderTest, StatesDamage) {
  TestStream stream;
  auto epoch = stream.write_epoch(street(), few());
  stream.log.flip_byte(stream.where, stream.offsets[{epoch, 1}][0], 5000);
  stream.log.damage(stream.where, stream.offsets[{epoch, 2}][0], {ErrorCode::kCorrupt, "short file"});
  auto reading = read(stream, select());
  EXPECT_THAT(reading.items, ElementsAre("epoch 0", "0", "corrupt 1+1", "corrupt 2+1", "3"));
  EXPECT_THAT(reading.absences[0].reason, HasSubstr("ce_xxh3"));
  EXPECT_THAT(reading.absences[1].reason, HasSubstr("short file"));
}

TEST(StreamReaderTest, StatesDamagedHeaders) {
  TestStream stream;
  auto epoch = stream.write_epoch(street(), few());
  stream.log.set_header(stream.where, stream.offsets[{epoch, 1}][0], {"ce_ordinal", "many"});
  auto reading = read(stream, select());
  EXPECT_THAT(reading.items, ElementsAre("epoch 0", "0", "lost 1+1", "2", "3"));
  EXPECT_EQ(reading.stats.foreign_records, 1u);
}

TEST(StreamReaderTest, StatesAMissingChunk) {
  TestStream stream;
  auto options = few();
  options.chunk_bytes = 20'000;
  auto epoch = stream.write_epoch(street(), options);
  stream.log.drop_record(stream.where, stream.offsets[{epoch, 1}][1]);
  auto reading = read(stream, select());
  EXPECT_THAT(reading.items, ElementsAre("epoch 0", "0", "lost 1+1", "2", "3"));
  EXPECT_THAT(reading.absences[0].reason, HasSubstr("chunk 1"));
}

TEST(StreamReaderTest, StatesTheSegmentThatADeadWriterLeftUnfinished) {
  TestStream stream;
  auto options = few();
  options.chunk_bytes = 20'000;
  options.unfinished = 3;
  options.ended = false;
  stream.write_epoch(street(), options);
  auto second = stream.write_epoch(street(), few(1));
  EXPECT_THAT(read(stream, select(EpochSelection::all())).items,
              ElementsAre("epoch 0", "0", "1", "2", "lost 3+1", fmt::format("epoch {}", second), "0"));
}

TEST(StreamReaderTest, StatesWhatTheWriterSaidIsMissing) {
  TestStream stream;
  auto options = few();
  options.gaps[2] = {record::GapCause::kSourceOutage, kNoon, kNoon + std::chrono::seconds(9), 0};
  options.gaps[4] = {record::GapCause::kOverBudget, kNoon, kNoon, 1234};
  stream.write_epoch(street(), options);
  auto reading = read(stream, select());
  EXPECT_THAT(reading.items, ElementsAre("epoch 0", "0", "1", "source-outage", "2", "3", "over-budget"));
  EXPECT_EQ(reading.absences[0].to, kNoon + std::chrono::seconds(9));
  EXPECT_EQ(reading.absences[1].bytes, 1234u);
}

TEST(StreamReaderTest, StatesWhatRetentionHasTaken) {
  TestStream stream;
  auto epoch = stream.write_epoch(street(), few());
  stream.log.trim(stream.where, stream.offsets[{epoch, 2}][0]);
  EXPECT_THAT(read(stream, select()).items, ElementsAre("epoch 0", "expired 0+2", "2", "3"));
}

TEST(StreamReaderTest, SaysThatTheTracksOfAnOldEpochAreUnknown) {
  TestStream stream;
  auto options = few(2);
  options.started = false;
  stream.write_epoch(street(), options);
  auto second = stream.write_epoch(street(), few(1));
  auto reading = read(stream, select(EpochSelection::all()));
  EXPECT_THAT(reading.items, ElementsAre("expired 0+2", fmt::format("epoch {}", second), "0"));
}

TEST(StreamReaderTest, TakesARepeatedChunkOnce) {
  TestStream stream;
  auto epoch = stream.write_epoch(street(), few());
  stream.log.repeat_record(stream.where, stream.offsets[{epoch, 1}][0]);
  auto reading = read(stream, select());
  EXPECT_THAT(reading.items, ElementsAre("epoch 0", "0", "1", "2", "3"));
  EXPECT_EQ(reading.stats.duplicates, 1u);
}

TEST(StreamReaderTest, CountsForeignRecordsAndSkipsThem) {
  TestStream stream;
  stream.append(stream.topics.segments, kStream, {{"x", "y"}}, Buffer::copy("not ours"));
  stream.append(stream.topics.segments, kStream, {{"ce_type", "gopline.weather.v1"}}, {});
  auto epoch = stream.write_epoch(street(), few(2));
  stream.append(stream.topics.segments, "another", {}, Buffer::copy(std::string(100'000, 'x')));
  auto reading = read(stream, select(EpochSelection::all()));
  EXPECT_THAT(reading.items, ElementsAre(fmt::format("epoch {}", epoch), "0", "1"));
  EXPECT_EQ(reading.stats.foreign_records, 2u);
  EXPECT_EQ(reading.stats.payload_bytes, bytes_of(street(), {0, 1})) << "only what was asked for is read";
}

TEST(StreamReaderTest, ReadsTheEpochsThatAreAskedFor) {
  TestStream stream;
  auto first = stream.write_epoch(street(), few(2));
  auto options = few(1);
  options.start = kNoon + std::chrono::seconds(100);
  auto second = stream.write_epoch(street(), options);
  auto one = fmt::format("epoch {}", first);
  auto two = fmt::format("epoch {}", second);
  EXPECT_THAT(read(stream, select()).items, ElementsAre(two, "0"));
  EXPECT_THAT(read(stream, select(EpochSelection::one(first))).items, ElementsAre(one, "0", "1"));
  EXPECT_THAT(read(stream, select(EpochSelection::all())).items, ElementsAre(one, "0", "1", two, "0"));
  EXPECT_THAT(read(stream, select(EpochSelection::one(EpochNumber(99)))).items,
              ElementsAre(HasSubstr("no epoch 99")));
}

TEST(StreamReaderTest, PutsALateEpochWhereItBelongs) {
  TestStream stream;
  auto options = few(1);
  auto first = stream.write_epoch(street(), options);
  options.start = kNoon + std::chrono::seconds(200);
  auto second = stream.write_epoch(street(), options);
  options.start = kNoon + std::chrono::seconds(100);
  options.late = true;
  auto late = stream.write_epoch(street(), options);
  auto reading = read(stream, select(EpochSelection::all()));
  EXPECT_THAT(reading.items, ElementsAre(fmt::format("epoch {}", first), "0", fmt::format("epoch {}", late),
                                         "0", fmt::format("epoch {}", second), "0"));
  EXPECT_EQ(reading.stats.late, 1u);
  EXPECT_THAT(read(stream, select()).items, ElementsAre(fmt::format("epoch {}", second), "0"));
}

TEST(StreamReaderTest, NamesAStreamThatIsNotThere) {
  TestStream stream;
  EXPECT_THAT(read(stream, select()).items, ElementsAre(HasSubstr("door")));
}

// The index (or, without one, the headers) tells where a range lies: nothing else is read.
class RangeTest : public ::testing::TestWithParam<bool> {};

TEST_P(RangeTest, ReadsTheSegmentsOfARangeAndNoOthers) {
  TestStream stream;
  auto options = few(8);
  options.indexed = GetParam();
  stream.write_epoch(street(), options);
  auto selection = select();
  selection.from = kNoon + std::chrono::milliseconds(4500);
  selection.to = kNoon + std::chrono::milliseconds(7500);
  auto reading = read(stream, selection);
  EXPECT_THAT(reading.items, ElementsAre("epoch 0 from the middle", "2", "3"));
  EXPECT_EQ(reading.stats.payload_bytes, bytes_of(street(), {2, 3}));
}

TEST_P(RangeTest, OpenEndsReachToTheEndsOfTheEpoch) {
  TestStream stream;
  auto options = few(4);
  options.indexed = GetParam();
  stream.write_epoch(street(), options);
  auto selection = select();
  selection.from = kNoon + std::chrono::seconds(4);
  EXPECT_THAT(read(stream, selection).items, ElementsAre("epoch 0 from the middle", "2", "3"));
  selection = select();
  selection.to = kNoon + std::chrono::seconds(4);
  EXPECT_THAT(read(stream, selection).items, ElementsAre("epoch 0", "0", "1"));
  selection.from = kNoon - std::chrono::hours(1);
  EXPECT_THAT(read(stream, selection).items, ElementsAre("epoch 0", "0", "1"));
  selection.to = kNoon - std::chrono::minutes(30);
  EXPECT_THAT(read(stream, selection).items, ElementsAre(HasSubstr("no footage in that range")));
}

TEST_P(RangeTest, AHoleInTheRangeIsStated) {
  TestStream stream;
  auto options = few(8);
  options.indexed = GetParam();
  options.without = {3};
  stream.write_epoch(street(), options);
  auto selection = select();
  selection.from = kNoon + std::chrono::milliseconds(4500);
  selection.to = kNoon + std::chrono::milliseconds(9000);
  EXPECT_THAT(read(stream, selection).items, ElementsAre("epoch 0 from the middle", "2", "lost 3+1", "4"));
}

TEST_P(RangeTest, OffsetsAreARangeToo) {
  TestStream stream;
  auto options = few(8);
  options.indexed = GetParam();
  auto epoch = stream.write_epoch(street(), options);
  auto selection = select();
  selection.from = stream.offsets[{epoch, 5}][0];
  selection.to = stream.offsets[{epoch, 7}][0];
  EXPECT_THAT(read(stream, selection).items, ElementsAre("epoch 0 from the middle", "5", "6"));
}

INSTANTIATE_TEST_SUITE_P(ByIndexAndWithout, RangeTest, ::testing::Bool(),
                         [](const auto& each) { return each.param ? "Indexed" : "Unindexed"; });

TEST(StreamReaderTest, ReadsWhatTheIndexDoesNotKnowYet) {
  TestStream stream;
  stream.write_epoch(street(), few(3));
  auto options = few(2);
  options.start = kNoon + std::chrono::seconds(6);
  options.indexed = false;
  auto second = stream.write_epoch(street(), options);
  auto selection = select(EpochSelection::all());
  selection.from = kNoon + std::chrono::seconds(5);
  EXPECT_THAT(read(stream, selection).items,
              ElementsAre("epoch 0 from the middle", "2", fmt::format("epoch {}", second), "0", "1"));
}

TEST(StreamReaderTest, GoesBackToTheAccessPointBeforeTheRange) {
  auto clip = cut_clip("street.mp4");
  clip.segments[4].sap = 0;  // as if a cap had cut it
  clip.segments[3].sap = 0;
  TestStream stream;
  stream.write_epoch(clip, few(8));
  auto selection = select();
  selection.from = kNoon + std::chrono::seconds(9);
  selection.to = kNoon + std::chrono::seconds(10);
  EXPECT_THAT(read(stream, selection).items, ElementsAre("epoch 0 from the middle", "2", "3", "4"));
}

TEST(StreamReaderTest, StopsWhenAsked) {
  TestStream stream;
  stream.write_epoch(street(), few());
  StopSource stop;
  auto reader = StreamReader::open(stream.log, select(), stop.get_token());
  ASSERT_TRUE(reader);
  stop.request_stop();
  ASSERT_TRUE((*reader)->next()) << "the epoch's beginning is known";
  auto item = (*reader)->next();
  ASSERT_FALSE(item);
  EXPECT_EQ(item.error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace gopline::aggregator
