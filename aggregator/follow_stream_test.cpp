#include "aggregator/follow_stream.h"

#include <gmock/gmock.h>

#include "aggregator/follow_fixture.h"
#include "common/payload/memory_store.h"

namespace gopline::aggregator {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(FollowStreamTest, AnEpochThatBeginsComesOutAsItIs) {
  follow();
  auto epoch = stream.write_epoch(street());
  const auto& report = finish();
  EXPECT_TRUE(report.whole());
  EXPECT_FALSE(report.interrupted);
  EXPECT_EQ(report.output.segments, static_cast<std::int64_t>(street().segments.size()));
  EXPECT_EQ(contents(options.aggregate.output), aggregated(epoch));
}

TEST_F(FollowStreamTest, BeginsWithWhatIsWrittenFromNowOn) {
  auto epoch = stream.write_epoch(street(), {.segments = 3, .ended = false});
  follow();
  stream.go_on(street(), epoch, {.segments = 6}, 3);
  const auto& report = finish();
  EXPECT_TRUE(report.whole());
  EXPECT_EQ(report.output.segments, 3);
  ASSERT_EQ(report.output.epochs.size(), 1U);
  EXPECT_EQ(report.output.epochs[0].epoch, epoch);
}

TEST_F(FollowStreamTest, BeginsWhereItIsAskedTo) {
  auto epoch = stream.write_epoch(street(), {.segments = 3, .ended = false});
  follow(StreamPoint(stream.offsets[{epoch, 1}].front()));
  stream.go_on(street(), epoch, {.segments = 6}, 3);
  const auto& report = finish();
  EXPECT_TRUE(report.whole());
  EXPECT_EQ(report.output.segments, 5);
}

TEST_F(FollowStreamTest, WhatIsLongOverComesOutBeforeItEnds) {
  auto epoch = stream.write_epoch(street(), {.segments = 3});
  clock.set(kNoon + 2h);
  options.until = kNoon + 1h;
  follow(StreamPoint(stream.offsets[{epoch, 0}].front()));
  thread.join();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->output.segments, 3);
}

TEST_F(FollowStreamTest, WhatIsMissingIsStated) {
  follow();
  stream.write_epoch(street(), {.without = {2}, .segments = 6});
  const auto& report = finish();
  EXPECT_EQ(report.output.segments, 5);
  EXPECT_THAT(stated, ElementsAre("lost 2+1"));
  ASSERT_EQ(report.output.absences.size(), 1U);
  EXPECT_THAT(report.output.absences[0].reason, HasSubstr("in time"));
  EXPECT_LT(report.output.absences[0].from, report.output.absences[0].to);
}

TEST_F(FollowStreamTest, TheMissingEndOfAnEpochIsStated) {
  follow();
  stream.write_epoch(street(), {.without = {4, 5}, .segments = 6});
  EXPECT_EQ(finish().output.segments, 4);
  EXPECT_THAT(stated, ElementsAre("lost 4+2"));
}

TEST_F(FollowStreamTest, ANewerEpochGivesUpWhatIsUnfinished) {
  follow();
  stream.write_epoch(street(), {.chunk_bytes = 20'000, .segments = 3, .unfinished = 2, .ended = false});
  stream.write_epoch(street(), {.start = kNoon + 10min, .segments = 2});
  const auto& report = finish();
  EXPECT_EQ(report.output.segments, 5) << "its pictures came whole, and the sound behind them did not";
  EXPECT_EQ(report.output.epochs.size(), 2U);
  EXPECT_THAT(stated, ElementsAre("lost 2+1"));
}

TEST_F(FollowStreamTest, WhatWasNeverWrittenIsStatedInItsPlace) {
  follow();
  stream.write_epoch(street(), {.segments = 4,
                                .gaps = {{0, {record::GapCause::kSourceOutage, kNoon - 1min, kNoon, 0}},
                                         {2, {record::GapCause::kOverBudget, kNoon, kNoon + 1s, 77}}}});
  const auto& report = finish();
  EXPECT_EQ(report.output.segments, 4);
  EXPECT_THAT(stated, ElementsAre("source-outage", "over-budget"));
  EXPECT_EQ(report.output.absences[1].bytes, 77U);
}

TEST_F(FollowStreamTest, HistoryThatIsWrittenLateIsNotPlayed) {
  follow();
  stream.write_epoch(street(), {.segments = 2});
  stream.write_epoch(street(), {.start = kNoon - 1h, .late = true, .segments = 3});
  const auto& report = finish();
  EXPECT_EQ(report.output.segments, 2);
  EXPECT_EQ(report.output.late, 3U);
  EXPECT_THAT(stated, IsEmpty());
}

TEST_F(FollowStreamTest, PayloadsOutsideOfTheLogToWhichNoWayIsGivenAreStated) {
  auto store = payload::open_memory_store(std::make_shared<payload::MemoryBlobs>());
  follow();
  stream.write_epoch(street(), {.segments = 2, .blobs = store.get()});
  stream.write_epoch(street(), {.start = kNoon + 10min, .segments = 1});
  const auto& report = finish();
  // At once or one after the other, as they come; one gap either way.
  EXPECT_THAT(stated, AnyOf(ElementsAre("elsewhere 0+1", "elsewhere 1+1"), ElementsAre("elsewhere 0+2")));
  EXPECT_EQ(report.gaps, 1U);
  EXPECT_EQ(report.output.absences[0].segments, 2);
}

TEST_F(FollowStreamTest, AStopCompletesTheOutput) {
  follow();
  auto epoch = stream.write_epoch(street(), {.segments = 2});
  auto part = options.aggregate.output + ".part";
  auto whole = aggregated(epoch).size();
  while (contents(part).size() < whole) std::this_thread::yield();
  thread.request_stop();
  thread.join();
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->interrupted);
  EXPECT_EQ(contents(options.aggregate.output).size(), whole);
}

TEST_F(FollowStreamTest, StoppedBeforeAnythingCameThereIsNoOutput) {
  follow();
  thread.request_stop();
  thread.join();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(options.aggregate.output));
}

TEST_F(FollowStreamTest, AStreamThatIsNotThereIsSaid) {
  options.aggregate.selection.stream = "window";
  options.aggregate.output = directory / "out.mp4";
  auto report = follow_stream(stream.log, clock, options, {}, {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(report.error().message, HasSubstr("door"));
}

}  // namespace
}  // namespace gopline::aggregator
