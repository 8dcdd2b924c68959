#include "aggregator/follow/resequencer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace gopline::aggregator {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Taken = Resequencer::Taken;

constexpr EpochNumber kFirst{7}, kSecond{9};

Position at(std::int64_t segment, std::int64_t part = 0, EpochNumber epoch = kFirst) {
  return {epoch, segment, part};
}

Piece piece(const Position& position, int sap = 1, bool last = true, std::size_t bytes = 100) {
  Piece piece;
  piece.at = position;
  piece.last = last;
  piece.sap = sap;
  piece.start = position.segment * 1s;
  piece.duration = 1s;
  piece.time = Timestamp(position.segment * 1s);
  piece.bytes = bytes;
  return piece;
}

// "7:3.0" is a piece, "!" one after a gap, "~" one whose leading pictures go.
std::string show(const Position& position) {
  return fmt::format("{}:{}.{}", position.epoch, position.segment, position.part);
}
std::string show(const PlayoutItem& item) {
  if (const auto* join = std::get_if<EpochJoin>(&item)) {
    auto from = join->from ? fmt::format("{}{}", *join->from, join->from_ended ? "" : "?") : "";
    auto over = join->passed_over > 0 ? fmt::format(" over {}", join->passed_over) : "";
    return fmt::format("join {}>{}{}{}", from, join->to, join->from_its_start ? "" : " inside", over);
  }
  if (const auto* gap = std::get_if<PlayoutGap>(&item)) {
    const std::map<AbsenceCause, const char*> causes{{AbsenceCause::kLost, "lost"},
                                                     {AbsenceCause::kCorrupt, "corrupt"},
                                                     {AbsenceCause::kOverBudget, "over-budget"},
                                                     {AbsenceCause::kSourceOutage, "outage"},
                                                     {AbsenceCause::kMissingBlob, "missing"}};
    const auto* cause = causes.at(gap->cause);
    return fmt::format("{} {}-{}{}{}", cause, show(gap->begin), show(gap->end),
                       gap->unplayable > 0 ? fmt::format(" unplayable {}", gap->unplayable) : "",
                       gap->continues ? " on" : "");
  }
  const auto& out = std::get<PlayoutPiece>(item);
  return show(out.piece.at) + (out.resumes ? "!" : "") + (out.drop_leading ? "~" : "");
}

std::vector<std::string> take_all(Resequencer& order) {
  std::vector<std::string> items;
  while (auto item = order.take()) items.push_back(show(*item));
  return items;
}

// What is due at once: without what somebody has to wait for.
std::vector<std::string> take_statements(Resequencer& order) {
  std::vector<std::string> items;
  for (auto next = order.next(); next && !next->piece; next = order.next())
    items.push_back(show(*order.take()));
  return items;
}

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

// ---- memory

TEST(ResequencerBudget, TheOldestGoAsAGap) {
  Resequencer order({.max_bytes = 5000});
  order.begin_epoch(kFirst);
  for (int i = 0; i < 10; ++i) {
    order.push(piece(at(i), 1, true, 1000));
    EXPECT_LE(order.waiting_bytes(), 5000U);
  }
  EXPECT_THAT(take_all(order), ElementsAre("join >7", "over-budget 7:0.0-7:7.0", "7:7.0!", "7:8.0", "7:9.0"));
  EXPECT_EQ(order.stats().over_budget, 7U);
  EXPECT_EQ(order.push(piece(at(3))), Taken::kLate);
}

TEST(ResequencerBudget, WhatIsLargerThanTheBudgetIsAGapOfItsOwn) {
  Resequencer order({.max_bytes = 5000});
  order.begin_epoch(kFirst);
  order.push(piece(at(0)));
  EXPECT_EQ(order.push(piece(at(1), 1, true, 6000)), Taken::kOverBudget);
  order.push(piece(at(2)));
  EXPECT_THAT(take_all(order), ElementsAre("join >7", "7:0.0", "over-budget 7:1.0-7:2.0", "7:2.0!"));
}

TEST(ResequencerBudget, PiecesWithoutBytesCostSomethingToo) {
  Resequencer order({.max_bytes = 10'000});
  order.begin_epoch(kFirst);
  for (int i = 1; i < 1000; ++i) order.push(piece(at(i), 0, true, 0));
  EXPECT_LE(order.waiting(), 20U);
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

// ---- what no writer of ours would write

TEST_F(ResequencerTest, PartsBehindTheLastAreNotPlayed) {
  begin();
  push(at(0, 1), 0, false);
  push(at(0, 0), 1, true);
  push(at(1));
  EXPECT_THAT(take_all(order), ElementsAre("7:0.0", "7:1.0"));
  EXPECT_EQ(order.stats().late, 1U);
  EXPECT_EQ(order.waiting_bytes(), 0U);
}

TEST_F(ResequencerTest, AbsencesBeyondCountingAreStillGaps) {
  begin();
  for (int i = 0; i < 5000; ++i) order.lose(at(2 * i), at(2 * i + 1), AbsenceCause::kCorrupt);
  for (int i = 0; i < 5000; ++i)
    order.note_unwritten(kFirst, 20'000 + i, {AbsenceCause::kClock, Timestamp(), Timestamp(1s), 1});
  push(at(20'000));
  take_all(order);
  order.finish();
  take_all(order);
  EXPECT_EQ(order.stats().played, 1U);
}

}  // namespace
}  // namespace gopline::aggregator
