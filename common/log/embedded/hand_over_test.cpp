#include "common/log/embedded/hand_over.h"

#include <gtest/gtest.h>

#include <thread>

namespace gopline::embedded {
namespace {

struct Item {
  struct {
    std::size_t bytes;
  } share;
};

TEST(HandOver, WithoutAFloorEverythingIsWorthTaking) {
  HandOver<Item> hand(0);
  EXPECT_FALSE(hand.worth_taking());
  hand.give(Item{0});
  EXPECT_TRUE(hand.worth_taking());
  EXPECT_EQ(hand.take().size(), 1u);
  EXPECT_TRUE(hand.empty());
}

TEST(HandOver, WaitsForEnough) {
  HandOver<Item> hand(10);
  hand.give(Item{4});
  hand.give({Item{3}, Item{2}});
  EXPECT_FALSE(hand.worth_taking());
  hand.give(Item{1});
  EXPECT_TRUE(hand.worth_taking());
  EXPECT_EQ(hand.take().size(), 4u);
  hand.give(Item{9});
  EXPECT_FALSE(hand.worth_taking()) << "counts from nothing again";
}

TEST(HandOver, WaitsNoLongerWhenTheGiverPauses) {
  HandOver<Item> hand(10);
  hand.give(Item{1});
  hand.pause();
  EXPECT_TRUE(hand.worth_taking());
  EXPECT_EQ(hand.take().size(), 1u);
  hand.give(Item{1});
  EXPECT_FALSE(hand.worth_taking()) << "the giver is at work again";
}

TEST(HandOver, GivesOutWhatIsLeftAtTheEnd) {
  HandOver<Item> hand(10);
  hand.give(Item{1});
  hand.end();
  EXPECT_EQ(hand.take().size(), 1u);
  EXPECT_TRUE(hand.take().empty());
}

TEST(HandOver, EverythingArrivesInOrderWhoeverWaits) {
  HandOver<Item> hand(50);
  std::thread giver([&] {
    for (std::size_t i = 1; i <= 5000; ++i) {
      hand.give(Item{i % 20});
      if (i % 7 == 0) hand.pause();
    }
    hand.end();
  });
  std::size_t next = 1;
  for (auto batch = hand.take(); !batch.empty(); batch = hand.take()) {
    for (const auto& item : batch) EXPECT_EQ(item.share.bytes, next++ % 20);
  }
  giver.join();
  EXPECT_EQ(next, 5001u);
}

}  // namespace
}  // namespace gopline::embedded
