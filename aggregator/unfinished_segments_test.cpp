// Segments that came in parts, and not all of them.
#include <gmock/gmock.h>

#include "aggregator/aggregate.h"
#include "aggregator/stream_reader.h"
#include "aggregator/test_stream.h"
#include "common/base/test_directory.h"
#include "common/media/segment_reader.h"

namespace gopline::aggregator {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::size_t tracks() {
  return street_in_parts().tracks.size();
}

// Bytes of the init and the first parts of a segment.
Buffer beginning(std::size_t segment, std::size_t parts) {
  const auto& built = street_in_parts().segments[segment];
  auto end = parts == kParts ? built.bytes.size() : built.parts[parts * tracks()].offset;
  return built.bytes.flatten().share(0, end);
}

// A sequence in words: "epoch 0", "0", "1 in part", "lost 1", ...
struct PartialReading {
  std::vector<std::string> items;
  std::vector<Absence> absences;
  std::vector<SegmentData> beginnings;
  StreamReaderStats stats;
};

// By the log's headers, and as a log is read that hands them out with the values alone.
class UnfinishedSegments : public ::testing::TestWithParam<bool> {
 protected:
  UnfinishedSegments() { begin_anew(); }

  void begin_anew() {
    MemoryLogOptions options;
    options.reads_headers_alone = GetParam();
    stream = std::make_unique<TestStream>(options);
  }

  Selection select(EpochSelection epochs = EpochSelection::all()) const {
    Selection selection;
    selection.stream = kStream;
    selection.epochs = epochs;
    return selection;
  }

  PartialReading read(const Selection& selection) {
    PartialReading reading;
    auto reader = StreamReader::open(stream->log, selection, {});
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
      take(std::move(**item), reading);
    }
    reading.stats = (*reader)->stats();
    return reading;
  }
  PartialReading read() { return read(select()); }

  std::unique_ptr<TestStream> stream;

 private:
  static void take(StreamItem item, PartialReading& reading) {
    if (const auto* epoch = std::get_if<EpochBegin>(&item)) {
      reading.items.push_back(fmt::format("epoch {}", epoch->started.epoch));
    } else if (auto* segment = std::get_if<SegmentData>(&item)) {
      reading.items.push_back(
          fmt::format("{}{}", segment->headers.segment, segment->whole ? "" : " in part"));
      auto whole = street_in_parts()
                       .segments[static_cast<std::size_t>(segment->headers.segment.value)]
                       .bytes.flatten();
      EXPECT_EQ(segment->bytes.flatten(), whole.share(0, segment->bytes.size()));
      EXPECT_EQ(segment->whole, segment->bytes.size() == whole.size());
      if (!segment->whole) reading.beginnings.push_back(std::move(*segment));
    } else {
      const auto& absence = std::get<Absence>(item);
      reading.absences.push_back(absence);
      auto which = absence.first_segment ? fmt::format(" {}", *absence.first_segment) : "";
      reading.items.push_back(fmt::format("{}{}", to_string(absence.cause), which));
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Logs, UnfinishedSegments, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "ByHeaders" : "ByIndex"; });

TEST_P(UnfinishedSegments, WholeOnesAreWhole) {
  stream->write_epoch(street_in_parts(), in_parts());
  auto reading = read();
  EXPECT_THAT(reading.items, ElementsAre("epoch 0", "0", "1", "2", "3"));
  EXPECT_EQ(reading.stats.segments, 4u);
}

TEST_P(UnfinishedSegments, EveryChunkMissingInTurn) {
  for (std::size_t missing = 0; missing < kParts; ++missing) {
    SCOPED_TRACE(missing);
    begin_anew();
    auto epoch = stream->write_epoch(street_in_parts(), in_parts());
    ASSERT_TRUE(stream->log.drop_record(stream->where, stream->offsets[{epoch, 1}][missing]));
    auto reading = read();
    if (missing == 0) {
      EXPECT_THAT(reading.items, ElementsAre("epoch 0", "0", "lost 1", "2", "3"));
      continue;
    }
    ASSERT_THAT(reading.items, ElementsAre("epoch 0", "0", "1 in part", "lost 1", "2", "3"));
    EXPECT_EQ(reading.beginnings[0].bytes.flatten(), beginning(1, missing));
    const auto& rest = reading.absences[0];
    EXPECT_THAT(rest.reason, HasSubstr(fmt::format("chunk {}", missing)));
    EXPECT_GT(*rest.from, reading.beginnings[0].headers.time) << "it begins where the parts end";
    EXPECT_GT(*rest.to, *rest.from);
    EXPECT_EQ(reading.stats.beginnings, 1u);
  }
}

TEST_P(UnfinishedSegments, EveryChunkDamagedInTurn) {
  for (std::size_t damaged = 0; damaged < kParts; ++damaged) {
    SCOPED_TRACE(damaged);
    begin_anew();
    auto epoch = stream->write_epoch(street_in_parts(), in_parts());
    ASSERT_TRUE(stream->log.flip_byte(stream->where, stream->offsets[{epoch, 1}][damaged], 100));
    auto reading = read();
    if (damaged == 0) {
      EXPECT_THAT(reading.items, ElementsAre("epoch 0", "0", "corrupt 1", "2", "3"));
    } else {
      ASSERT_THAT(reading.items, ElementsAre("epoch 0", "0", "1 in part", "corrupt 1", "2", "3"));
      EXPECT_EQ(reading.beginnings[0].bytes.flatten(), beginning(1, damaged));
    }
  }
}

TEST_P(UnfinishedSegments, EveryChunkTwiceIsTakenOnce) {
  for (std::size_t twice = 0; twice < kParts; ++twice) {
    SCOPED_TRACE(twice);
    begin_anew();
    auto options = in_parts(2);
    options.ended = false;
    auto epoch = stream->write_epoch(street_in_parts(), options);
    ASSERT_TRUE(stream->log.repeat_record(stream->where, stream->offsets[{epoch, 1}][twice]));
    EXPECT_THAT(read().items, ElementsAre("epoch 0", "0", "1"));
  }
}

TEST_P(UnfinishedSegments, DeathAfterEveryChunkInTurn) {
  for (bool is_followed : {false, true}) {
    for (std::size_t chunks = 1; chunks < kParts; ++chunks) {
      SCOPED_TRACE(fmt::format("{} chunks{}", chunks, is_followed ? ", and a new writer" : ""));
      begin_anew();
      auto options = in_parts();
      options.only_chunks[3] = chunks;
      options.ended = false;
      stream->write_epoch(street_in_parts(), options);
      std::vector<std::string> expected{"epoch 0", "0", "1", "2", "3 in part"};
      if (is_followed) {
        auto second = stream->write_epoch(street_in_parts(), in_parts(1));
        for (auto more : {std::string("lost 3"), fmt::format("epoch {}", second), std::string("0")})
          expected.push_back(more);
      }
      auto reading = read();
      ASSERT_EQ(reading.items, expected);
      EXPECT_EQ(reading.beginnings[0].bytes.flatten(), beginning(3, chunks));
      if (!is_followed) continue;
      EXPECT_THAT(reading.absences[0].reason, HasSubstr("chunk"));
      EXPECT_GT(*reading.absences[0].from, reading.beginnings[0].headers.time);
      EXPECT_FALSE(reading.absences[0].to) << "nobody knows how long it would have been";
    }
  }
}

TEST_P(UnfinishedSegments, TheEndOfTheEpochGivesThemUp) {
  auto options = in_parts();
  options.only_chunks[3] = 2;
  stream->write_epoch(street_in_parts(), options);
  EXPECT_THAT(read().items, ElementsAre("epoch 0", "0", "1", "2", "3 in part", "lost 3"));
}

TEST_P(UnfinishedSegments, TheWritersGapFollowsWhatItLeft) {
  auto options = in_parts();
  options.only_chunks[1] = 3;
  options.gaps[2] = {record::GapCause::kOverBudget, kNoon, kNoon + std::chrono::seconds(1), 99};
  stream->write_epoch(street_in_parts(), options);
  EXPECT_THAT(read().items, ElementsAre("epoch 0", "0", "1 in part", "lost 1", "over-budget", "2", "3"));
}

// A range is planned by the index, which has no entry of what is not whole.
TEST_P(UnfinishedSegments, ARangeHasThemToo) {
  auto options = in_parts();
  options.only_chunks[1] = 3;
  stream->write_epoch(street_in_parts(), options);
  auto range = select(EpochSelection::latest());
  range.from = kNoon;
  EXPECT_THAT(read(range).items, ElementsAre("epoch 0", "0", "1 in part", "lost 1", "2", "3"));
}

TEST_P(UnfinishedSegments, WhatBeginsInTheMiddleHasExpired) {
  auto epoch = stream->write_epoch(street_in_parts(), in_parts());
  stream->log.trim(stream->where, stream->offsets[{epoch, 1}][2]);
  auto reading = read(select(EpochSelection::latest()));
  EXPECT_THAT(reading.items, ElementsAre("epoch 0", "expired 0", "expired 1", "2", "3"));
}

// Chunks that end anywhere: what is whole in them counts.
TEST_P(UnfinishedSegments, FragmentsCountNotChunks) {
  EpochOptions options;
  options.segments = 3;
  options.chunk_bytes = street_in_parts().segments[1].bytes.size() * 3 / 4;
  auto epoch = stream->write_epoch(street_in_parts(), options);
  auto last = stream->offsets[{epoch, 1}].back();
  ASSERT_TRUE(stream->log.drop_record(stream->where, last));
  auto reading = read();
  ASSERT_THAT(reading.items, ElementsAre("epoch 0", "0", "1 in part", "lost 1", "2"));
  auto fragments = media::read_fragments(reading.beginnings[0].bytes.flatten(), street_in_parts().tracks);
  ASSERT_TRUE(fragments) << fragments.error().message;
  EXPECT_GE(fragments->size(), 2u);
  EXPECT_LT(fragments->size(), kParts * tracks());
}

// What comes out is the clip's packets but for those that are missing, whatever the container.
TEST_P(UnfinishedSegments, OutputsGoOnAtTheNextAccessPoint) {
  TestDirectory folder;
  auto options = in_parts();
  options.only_chunks[1] = 2;
  stream->write_epoch(street_in_parts(), options);
  std::size_t expected = 0;
  for (std::size_t i : {0u, 2u, 3u}) expected += street_in_parts().packets_of[i].size();
  auto part = media::read_fragments(beginning(1, 2), street_in_parts().tracks).value();
  for (const auto& fragment : part) expected += fragment.packets.size();
  for (std::string name : {"out.mp4", "out.mkv", "out.nut"}) {
    AggregateOptions aggregate_options;
    aggregate_options.selection = select();
    aggregate_options.output = folder / name;
    if (name == "out.mp4") aggregate_options.format = "fmp4";
    auto report = aggregate(stream->log, aggregate_options, {}, {});
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_FALSE(report->whole());
    EXPECT_EQ(report->passed_through, name == "out.mp4");
    EXPECT_EQ(report->packets, expected) << name;
    EXPECT_EQ(report->skipped_packets, 0u);
  }
}

}  // namespace
}  // namespace gopline::aggregator
