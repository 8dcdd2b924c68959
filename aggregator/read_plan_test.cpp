#include "aggregator/read_plan.h"

#include <gmock/gmock.h>

#include "aggregator/test_stream.h"

namespace gopline::aggregator {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::SizeIs;

std::string in_words(const std::vector<record::GapFacts>& gaps) {
  std::optional<record::GapFacts> one;  // the index tells several as one
  for (const auto& gap : gaps) one = record::joined(one, gap);
  if (!one) return "";
  return fmt::format(" gap {} {}+{} {}", static_cast<int>(one->cause), (one->from - kNoon).count(),
                     (one->to - one->from).count(), one->bytes);
}

// A line for every epoch and segment, with all that a plan says of it.
std::vector<std::string> in_words(const Result<ReadPlan>& plan) {
  if (!plan) return {plan.error().message};
  std::vector<std::string> lines;
  for (const auto& epoch : plan->epochs) {
    lines.push_back(fmt::format(
        "epoch {} {} {} {}{}{}", epoch.number,
        epoch.started ? fmt::format("{} {}", epoch.started->offset, epoch.started->marker.writer) : "unknown",
        epoch.ended ? fmt::format("ended {}", epoch.ended->segments) : "open", epoch.from_its_start,
        epoch.to_its_end, in_words(epoch.gaps_at_end)));
    for (const auto& [number, segment] : epoch.segments) {
      std::string chunks;
      for (auto [chunk, offset] : segment.chunks) chunks += fmt::format(" {}@{}", chunk, offset);
      lines.push_back(fmt::format("  {}{} {} bytes {}-{} sap {}{}{}", number, chunks, segment.bytes,
                                  (segment.time - kNoon).count(), (segment.end - kNoon).count(), segment.sap,
                                  segment.late ? " late" : "", in_words(segment.gaps_before)));
    }
  }
  return lines;
}

MemoryLogOptions values_come_along() {
  MemoryLogOptions options;
  options.reads_headers_alone = false;
  return options;
}

EpochOptions some(std::int64_t segments, int minutes = 0) {
  EpochOptions options;
  options.segments = segments;
  options.start = kNoon + std::chrono::minutes(minutes);
  options.chunk_bytes = 20'000;
  return options;
}

record::GapFacts gap(record::GapCause cause, int second) {
  return {cause, kNoon + std::chrono::seconds(second), kNoon + std::chrono::seconds(second + 1), 7};
}

void foreign_record(TestStream& stream) {
  stream.append(stream.topics.segments, kStream, {{"ce_type", "somebody.else.v1"}}, Buffer());
}

// Everything that may happen to a stream, and the numbers of its epochs.
std::vector<EpochNumber> live(TestStream& stream) {
  std::vector<EpochNumber> epochs;
  auto whole = some(5);
  whole.gaps = {{2, gap(record::GapCause::kSourceOutage, 4)}, {5, gap(record::GapCause::kOverBudget, 10)}};
  epochs.push_back(stream.write_epoch(street(), whole));

  auto dead = some(3, 1);  // its writer died within a segment, after a gap
  dead.unfinished = 2;
  dead.gaps = {{2, gap(record::GapCause::kClock, 62)}};
  dead.ended = false;
  epochs.push_back(stream.write_epoch(street(), dead));

  auto superseded = some(2, 2);
  superseded.ended = false;
  epochs.push_back(stream.write_epoch(street(), superseded));
  auto newer = some(3, 3);
  newer.ended = false;
  newer.gaps = {{1, gap(record::GapCause::kLost, 180)}};
  epochs.push_back(stream.write_epoch(street(), newer));
  superseded.segments = 4;  // goes on beside the newer one, which goes on, too
  superseded.gaps = {{3, gap(record::GapCause::kClock, 126)}, {4, gap(record::GapCause::kLost, 128)}};
  superseded.ended = true;
  stream.go_on(street(), epochs[2], superseded, 2);
  newer.segments = 5;
  newer.gaps = {{4, gap(record::GapCause::kLost, 190)}};
  stream.go_on(street(), epochs[3], newer, 3);

  auto spill = some(2, 0);
  spill.late = true;
  spill.start = kNoon + std::chrono::seconds(30);
  epochs.push_back(stream.write_epoch(street(), spill));

  auto nothing = some(0, 4);  // no footage, but a gap
  nothing.gaps = {{0, gap(record::GapCause::kSourceOutage, 240)}};
  epochs.push_back(stream.write_epoch(street(), nothing));

  auto newest = some(3, 5);
  newest.ended = false;
  newest.without = {1};
  epochs.push_back(stream.write_epoch(street(), newest));
  return epochs;
}

std::vector<EpochSelection> selections(const std::vector<EpochNumber>& epochs) {
  std::vector<EpochSelection> all{EpochSelection::latest(), EpochSelection::all(),
                                  EpochSelection::one(EpochNumber(12'345))};
  for (auto number : epochs) all.push_back(EpochSelection::one(number));
  return all;
}

void expect_the_same(TestStream& by_headers, TestStream& by_index, const std::vector<EpochNumber>& epochs) {
  for (const auto& epoch : selections(epochs)) {
    SCOPED_TRACE(fmt::format("kind {}, epoch {}", static_cast<int>(epoch.kind), epoch.number));
    auto expected = in_words(make_plan(by_headers.log, select(epoch), {}));
    EXPECT_EQ(in_words(make_plan(by_index.log, select(epoch), {})), expected);
  }
}

class ReadPlanTest : public ::testing::Test {
 protected:
  // Both streams get the same.
  template <typename Change>
  void both(Change change) {
    change(by_headers_);
    change(by_index_);
  }
  TestStream by_headers_;
  TestStream by_index_{values_come_along()};
};

TEST_F(ReadPlanTest, TheIndexGivesThePlanThatHeadersGive) {
  std::vector<EpochNumber> epochs;
  both([&](TestStream& stream) { epochs = live(stream); });
  expect_the_same(by_headers_, by_index_, epochs);
  EXPECT_THAT(in_words(make_plan(by_index_.log, select(EpochSelection::all()), {})), SizeIs(7 + 21));
}

TEST_F(ReadPlanTest, WithATailThatTheIndexDoesNotKnowYet) {
  std::vector<EpochNumber> epochs;
  both([&](TestStream& stream) {
    epochs = live(stream);
    auto tail = some(6, 5);
    tail.ended = false;
    tail.indexed = false;
    tail.gaps = {{4, gap(record::GapCause::kClock, 308)}, {6, gap(record::GapCause::kLost, 312)}};
    stream.go_on(street(), epochs.back(), tail, 3);
  });
  expect_the_same(by_headers_, by_index_, epochs);
}

TEST_F(ReadPlanTest, WithANewerEpochThatTheStateDoesNotKnowYet) {
  std::vector<EpochNumber> epochs;
  both([&](TestStream& stream) {
    epochs = live(stream);
    auto newer = some(2, 6);
    newer.indexed = false;
    epochs.push_back(stream.write_epoch(street(), newer));
    auto records = stream.log.records({stream.topics.streams, PartitionId(0)});
    stream.log.drop_record({stream.topics.streams, PartitionId(0)}, records.back().offset);
  });
  expect_the_same(by_headers_, by_index_, epochs);
}

TEST_F(ReadPlanTest, WithoutWhatRetentionHasTaken) {
  std::vector<EpochNumber> epochs;
  both([&](TestStream& stream) {
    epochs = live(stream);
    stream.log.trim(stream.where, stream.offsets[{epochs[2], 1}].front());
  });
  expect_the_same(by_headers_, by_index_, epochs);
}

TEST_F(ReadPlanTest, WithEntriesThatAreMissing) {
  std::vector<EpochNumber> epochs;
  both([&](TestStream& stream) {
    epochs = live(stream);
    TopicPartition index{stream.topics.index, PartitionId(0)};
    for (auto offset : {0, 2, 3, 7}) stream.log.drop_record(index, Offset(offset));
  });
  expect_the_same(by_headers_, by_index_, epochs);
}

TEST_F(ReadPlanTest, WithoutAnIndex) {
  std::vector<EpochNumber> epochs;
  both([&](TestStream& stream) {
    epochs = live(stream);
    ASSERT_TRUE(stream.log.delete_topic(stream.topics.index));
  });
  expect_the_same(by_headers_, by_index_, epochs);
}

// In a copied log records have other offsets than the index says.
TEST_F(ReadPlanTest, WithAnIndexOfAnotherLog) {
  both([&](TestStream& stream) {
    auto epoch = stream.write_epoch(street(), some(3));
    for (const auto& record : stream.log.records(stream.where)) {
      stream.append(stream.topics.segments, record.key, record.headers, *record.value);
    }
    stream.log.trim(stream.where, stream.log.records(stream.where).front().offset);
    for (const auto& record : stream.log.records(stream.where)) {
      if (record.offset < stream.offsets[{epoch, 2}].back()) foreign_record(stream);
    }
  });
  EXPECT_EQ(in_words(make_plan(by_index_.log, select(EpochSelection::all()), {})),
            in_words(make_plan(by_headers_.log, select(EpochSelection::all()), {})));
}

TEST_F(ReadPlanTest, WhatTheIndexTellsIsNotRead) {
  auto begin = some(2);
  begin.ended = false;
  auto epoch = by_index_.write_epoch(street(), begin);
  foreign_record(by_index_);
  by_index_.go_on(street(), epoch, some(4), 2);
  by_index_.write_state(epoch, some(4));
  foreign_record(by_index_);  // as those of other streams behind the end
  for (const auto& selection : {EpochSelection::latest(), EpochSelection::one(epoch)}) {
    auto plan = make_plan(by_index_.log, select(selection), {});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->segments(), 4);
    EXPECT_TRUE(plan->epochs[0].ended);
    EXPECT_EQ(plan->foreign_records, 0u);
  }
  EXPECT_EQ(make_plan(by_index_.log, select(EpochSelection::all()), {})->foreign_records, 1u);
}

TEST_F(ReadPlanTest, AGapThatTheIndexToldIsNotToldAgainByWhatFollows) {
  both([&](TestStream& stream) {
    auto options = some(1);
    options.ended = false;
    auto epoch = stream.write_epoch(street(), options);
    options.segments = 3;  // the state lags behind the index
    options.gaps = {{2, gap(record::GapCause::kClock, 4)}};
    stream.go_on(street(), epoch, options, 1);
  });
  for (auto* stream : {&by_headers_, &by_index_}) {
    auto selection = select(EpochSelection::latest());
    selection.from = kNoon;
    auto plan = make_plan(stream->log, selection, {});
    ASSERT_TRUE(plan);
    EXPECT_THAT(plan->epochs[0].segments[2].gaps_before, SizeIs(1));
  }
}

}  // namespace
}  // namespace gopline::aggregator
