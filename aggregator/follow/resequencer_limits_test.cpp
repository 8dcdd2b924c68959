#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregator/follow/resequencer.h"
#include "aggregator/follow/resequencer_words.h"

namespace gopline::aggregator {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using Taken = Resequencer::Taken;

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

// ---- what no writer of ours would write

class ResequencerLimits : public ::testing::Test {
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

TEST_F(ResequencerLimits, PartsBehindTheLastAreNotPlayed) {
  begin();
  push(at(0, 1), 0, false);
  push(at(0, 0), 1, true);
  push(at(1));
  EXPECT_THAT(take_all(order), ElementsAre("7:0.0", "7:1.0"));
  EXPECT_EQ(order.stats().late, 1U);
  EXPECT_EQ(order.waiting_bytes(), 0U);
}

TEST_F(ResequencerLimits, AbsencesThatAreBehindTakeNoPlace) {
  begin();
  for (int i = 0; i < 5000; ++i) {
    push(at(2 * i + 1));
    order.lose(at(2 * i), at(2 * i + 1), AbsenceCause::kCorrupt);
    EXPECT_EQ(take_statements(order).size(), 1U);  // at once: it was told
    EXPECT_EQ(take_all(order).size(), 1U);
    order.lose(at(2 * i), at(2 * i + 1), AbsenceCause::kCorrupt);
  }
}

TEST_F(ResequencerLimits, AbsencesBeyondCountingAreStillGaps) {
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
