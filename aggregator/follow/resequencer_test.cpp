#include "aggregator/follow/resequencer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregator/follow/resequencer_words.h"

namespace gopline::aggregator {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Taken = Resequencer::Taken;

class ResequencerTest : public ::testing::Test {
 protected:
  void begin() {
    order.begin_epoch(kFirst);
    ASSERT_THAT(take_all(order), ElementsAre("join >7"));
  }
  Taken push(const Position& position, int sap = 1, bool last = true) {
    return order.push(piece(position, sap, last));
  }
  Resequencer order;
};

TEST_F(ResequencerTest, PutsPiecesInOrder) {
  begin();
  for (auto segment : {2, 0, 3, 1}) EXPECT_EQ(push(at(segment)), Taken::kWaits);
  EXPECT_THAT(take_all(order), ElementsAre("7:0.0", "7:1.0", "7:2.0", "7:3.0"));
  EXPECT_EQ(order.waiting_bytes(), 0U);
}

TEST_F(ResequencerTest, PartsFollowEachOtherUntilTheLast) {
  begin();
  push(at(1, 0));
  push(at(0, 1), 0, true);
  push(at(0, 0), 1, false);
  EXPECT_THAT(take_all(order), ElementsAre("7:0.0", "7:0.1", "7:1.0"));
}

TEST_F(ResequencerTest, HoldsForWhatIsMissingUntilTheAccessPointBehindItIsTaken) {
  begin();
  push(at(1));
  EXPECT_THAT(take_statements(order), IsEmpty());
  ASSERT_TRUE(order.next());
  EXPECT_EQ(order.next()->piece->at, at(1));
  push(at(0));
  EXPECT_THAT(take_all(order), ElementsAre("7:0.0", "7:1.0"));
  EXPECT_EQ(order.stats().gaps, 0U);
}

TEST_F(ResequencerTest, GivesUpWhatIsMissingWhenTheAccessPointBehindItIsTaken) {
  begin();
  push(at(2));
  EXPECT_THAT(take_all(order), ElementsAre("lost 7:0.0-7:2.0", "7:2.0!"));
  EXPECT_EQ(push(at(1)), Taken::kLate);
  EXPECT_EQ(push(at(2)), Taken::kDuplicate);
  EXPECT_EQ(order.stats().gaps, 1U);
}

TEST_F(ResequencerTest, AGapSaysWhenItWas) {
  begin();
  push(at(0));
  push(at(3));
  take_all(order);
  push(at(6));
  auto gap = std::get<PlayoutGap>(*order.take());
  EXPECT_EQ(gap.from, Timestamp(4s));
  EXPECT_EQ(gap.to, Timestamp(6s));
}

TEST_F(ResequencerTest, AfterAGapOnlyAnAccessPointIsPlayed) {
  begin();
  push(at(0, 1), 0, false);
  push(at(0, 2), 0, true);
  EXPECT_FALSE(order.next());  // there is nothing to go on at
  push(at(1), 0);
  push(at(2), 2);
  EXPECT_THAT(take_all(order), ElementsAre("lost 7:0.0-7:2.0 unplayable 3", "7:2.0!"));
  EXPECT_EQ(order.stats().unplayable, 3U);
}

TEST_F(ResequencerTest, WhatCannotBePlayedAfterAGapIsStatedAsItComes) {
  begin();
  order.lose(at(0), at(1), AbsenceCause::kCorrupt);
  EXPECT_THAT(take_all(order), ElementsAre("corrupt 7:0.0-7:1.0"));
  push(at(1), 0);
  EXPECT_THAT(take_all(order), ElementsAre("corrupt 7:1.0-7:2.0 unplayable 1 on"));
  push(at(2));
  EXPECT_THAT(take_all(order), ElementsAre("7:2.0!"));
  EXPECT_EQ(order.stats().gaps, 1U);
}

TEST_F(ResequencerTest, LeadingPicturesOfAnOpenGopGoAfterAGapAndOnlyThere) {
  begin();
  push(at(0), 3);
  push(at(1), 3);
  push(at(3, 0), 3, false);
  push(at(3, 1), 0, true);
  push(at(4), 0);
  push(at(5), 3);
  EXPECT_THAT(take_all(order),
              ElementsAre("7:0.0", "7:1.0", "lost 7:2.0-7:3.0", "7:3.0!~", "7:3.1~", "7:4.0~", "7:5.0"));
}

TEST_F(ResequencerTest, NobodyWaitsForWhatIsToldAsLost) {
  begin();
  push(at(3));
  order.lose(at(0), at(2), AbsenceCause::kCorrupt);
  EXPECT_THAT(take_statements(order), ElementsAre("corrupt 7:0.0-7:2.0"));
  order.lose(at(2), at(3), AbsenceCause::kMissingBlob);
  EXPECT_EQ(take_statements(order).size(), 1U);
  EXPECT_THAT(take_all(order), ElementsAre("7:3.0!"));
}

TEST_F(ResequencerTest, WhatWasToldAsLostAndComesInTimeIsPlayed) {
  begin();
  order.lose(at(1), at(2), AbsenceCause::kCorrupt);
  push(at(1));
  push(at(0));
  EXPECT_THAT(take_all(order), ElementsAre("7:0.0", "7:1.0"));
}

TEST_F(ResequencerTest, WhatIsToldAsLostEndsAtWhatCame) {
  begin();
  order.lose(at(0), at(4), AbsenceCause::kCorrupt);
  push(at(2));
  EXPECT_THAT(take_all(order), ElementsAre("corrupt 7:0.0-7:2.0", "7:2.0!", "corrupt 7:3.0-7:4.0"));
}

TEST_F(ResequencerTest, AnEpochMayBeginBeforeItsFirstAccessPoint) {
  begin();
  push(at(1), 3);
  order.begin_epoch(kSecond);
  push(at(0, 0, kSecond), 0);
  push(at(1, 0, kSecond), 3);
  EXPECT_THAT(take_all(order), ElementsAre("lost 7:0.0-7:1.0", "7:1.0!~", "join 7?>9", "9:0.0", "9:1.0"));
}

TEST_F(ResequencerTest, CausesAreKeptApart) {
  begin();
  order.lose(at(1), at(3), AbsenceCause::kCorrupt);
  order.lose(at(0, 5), at(2), AbsenceCause::kMissingBlob);  // only what is not told yet counts
  push(at(4));
  EXPECT_THAT(take_all(order), ElementsAre("lost 7:0.0-7:0.5", "missing 7:0.5-7:1.0 on",
                                           "corrupt 7:1.0-7:3.0 on", "lost 7:3.0-7:4.0 on", "7:4.0!"));
  EXPECT_EQ(order.stats().gaps, 1U);
}

TEST_F(ResequencerTest, DuplicatesAreCountedAndNeverPlayed) {
  begin();
  push(at(0));
  EXPECT_EQ(push(at(0)), Taken::kDuplicate);
  EXPECT_THAT(take_all(order), ElementsAre("7:0.0"));
  EXPECT_EQ(push(at(0)), Taken::kDuplicate);
  EXPECT_THAT(take_all(order), IsEmpty());
  EXPECT_EQ(order.stats().duplicates, 2U);
  EXPECT_EQ(order.stats().late, 0U);
}

TEST_F(ResequencerTest, WhatWasNeverWrittenIsStatedInItsPlace) {
  begin();
  order.note_unwritten(kFirst, 1, {AbsenceCause::kSourceOutage, Timestamp(1s), Timestamp(3s), 5});
  order.note_unwritten(kFirst, 1, {AbsenceCause::kOverBudget, Timestamp(3s), Timestamp(4s), 6});
  EXPECT_THAT(take_all(order), IsEmpty());
  push(at(0));
  EXPECT_EQ(show(*order.take()), "7:0.0");
  auto gap = std::get<PlayoutGap>(*order.take());
  EXPECT_EQ(show(gap), "outage 7:1.0-7:1.0");
  EXPECT_EQ(gap.from, Timestamp(1s));
  EXPECT_EQ(gap.to, Timestamp(4s));
  EXPECT_EQ(gap.bytes, 11U);
  push(at(1), 3);
  EXPECT_THAT(take_all(order), ElementsAre("7:1.0!~"));
}

// ---- where the output begins

TEST_F(ResequencerTest, BeginsAtTheFirstAccessPointThatIsTaken) {
  push(at(4), 0);
  EXPECT_FALSE(order.next());
  push(at(6), 3);
  push(at(5));
  EXPECT_THAT(take_all(order), ElementsAre("join >7 inside", "7:5.0!", "7:6.0"));
  EXPECT_EQ(push(at(3)), Taken::kLate);
  EXPECT_EQ(order.stats().before_start, 2U);
}

TEST_F(ResequencerTest, AnEpochThatBeginsIsPlayedFromItsStart) {
  push(at(0), 3);  // before its marker
  order.begin_epoch(kFirst);
  EXPECT_THAT(take_all(order), ElementsAre("join >7", "7:0.0"));
}

TEST_F(ResequencerTest, BeginsWhereItIsTold) {
  order.start_at(at(3));
  push(at(2));
  push(at(4));
  EXPECT_THAT(take_all(order), ElementsAre("join >7 inside", "lost 7:3.0-7:4.0", "7:4.0!"));
  EXPECT_EQ(order.stats().before_start, 1U);
}

TEST_F(ResequencerTest, AnEpochThatEndsBeforeItsFirstAccessPointIsPassedOver) {
  push(at(4), 0);
  order.begin_epoch(kSecond);
  push(at(0, 0, kSecond));
  EXPECT_THAT(take_all(order), ElementsAre("join >9", "9:0.0"));
  EXPECT_EQ(order.stats().before_start, 1U);
}

TEST_F(ResequencerTest, WithoutAnAccessPointNothingBegins) {
  push(at(4), 0);
  order.finish();
  EXPECT_THAT(take_all(order), IsEmpty());
  EXPECT_EQ(order.waiting_bytes(), 0U);
  EXPECT_EQ(order.stats().before_start, 1U);
}

// ---- epochs

TEST_F(ResequencerTest, AnEndedEpochIsLeftWhenAnotherBegins) {
  begin();
  push(at(0));
  order.end_epoch(kFirst, 1);
  EXPECT_THAT(take_all(order), ElementsAre("7:0.0"));
  order.begin_epoch(kSecond);
  push(at(0, 0, kSecond));
  EXPECT_THAT(take_all(order), ElementsAre("join 7>9", "9:0.0"));
}

TEST_F(ResequencerTest, TheMissingEndOfAnEndedEpochIsStatedAtOnce) {
  begin();
  push(at(1));
  order.end_epoch(kFirst, 4);
  EXPECT_THAT(take_statements(order), ElementsAre("lost 7:0.0-7:1.0"));
  EXPECT_THAT(take_all(order), ElementsAre("7:1.0!", "lost 7:2.0-7:4.0"));
}

TEST_F(ResequencerTest, ANewerEpochGivesAnUnfinishedOneUpButWhatCameIsPlayed) {
  begin();
  push(at(1, 0), 1, false);
  order.begin_epoch(kSecond);
  push(at(0, 0, kSecond));
  EXPECT_THAT(take_statements(order), ElementsAre("lost 7:0.0-7:1.0"));
  EXPECT_EQ(push(at(1, 1), 0), Taken::kLate);  // the newest owns the stream
  EXPECT_THAT(take_all(order), ElementsAre("7:1.0!", "join 7?>9", "9:0.0"));
  EXPECT_EQ(push(at(1, 1), 0), Taken::kLate);
  EXPECT_EQ(push(at(1, 0), 1), Taken::kDuplicate);
}

TEST_F(ResequencerTest, APieceOfANewerEpochBeginsIt) {
  begin();
  push(at(1, 0, kSecond));
  EXPECT_THAT(take_all(order), ElementsAre("join 7?>9", "lost 9:0.0-9:1.0", "9:1.0!"));
}

TEST_F(ResequencerTest, EpochsWithoutFootageAreJoinedToo) {
  begin();
  order.begin_epoch(kSecond);
  order.end_epoch(kSecond, 0);
  order.begin_epoch(EpochNumber(12));
  EXPECT_THAT(take_all(order), ElementsAre("join 7?>9", "join 9>12"));
}

TEST_F(ResequencerTest, MoreEpochsThanAnybodyJoinsArePassedOver) {
  begin();
  for (int i = 100; i < 200; ++i) {
    order.begin_epoch(EpochNumber(i));
    push(at(0, 0, EpochNumber(i)));
  }
  auto items = take_all(order);
  EXPECT_EQ(items.front(), "join 7?>137 over 37");
  EXPECT_EQ(items.back(), "199:0.0");
  EXPECT_EQ(order.stats().over_budget, 37U);
}

TEST_F(ResequencerTest, FinishHoldsForNothing) {
  begin();
  push(at(1));
  push(at(3), 0);
  order.finish();
  EXPECT_THAT(take_statements(order), ElementsAre("lost 7:0.0-7:1.0"));
  EXPECT_THAT(take_all(order), ElementsAre("7:1.0!", "lost 7:2.0-7:4.0 unplayable 1"));
  EXPECT_FALSE(order.next());
}

}  // namespace
}  // namespace gopline::aggregator
