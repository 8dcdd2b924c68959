#include "analyzer/pipeline/frame_join.h"

#include <algorithm>
#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gopline::analyzer {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const SteadyTime kStart{1h};

TEST(FrameJoin, IsCompleteWhenAllWhoWereAskedHaveAnswered) {
  FrameJoin join(std::nullopt);
  auto ticket = join.begin(kStart);
  EXPECT_TRUE(join.is_complete()) << "nobody was asked";
  join.expect(0);
  join.expect(2);
  EXPECT_TRUE(join.answer(2, ticket));
  EXPECT_FALSE(join.is_complete());
  EXPECT_FALSE(join.is_over(kStart + 24h)) << "everybody is waited for";
  EXPECT_TRUE(join.answer(0, ticket));
  EXPECT_TRUE(join.is_complete());
  EXPECT_THAT(join.missing(), IsEmpty());
}

TEST(FrameJoin, WhoIsGivenUpIsNamedAndItsAnswerIsLate) {
  FrameJoin join(500ms);
  auto first = join.begin(kStart);
  join.expect(1);
  join.expect(3);
  EXPECT_EQ(join.time_left(kStart + 200ms), 300ms);
  EXPECT_TRUE(join.answer(3, first));
  EXPECT_FALSE(join.is_over(kStart + 499ms));
  EXPECT_TRUE(join.is_over(kStart + 500ms));
  EXPECT_EQ(join.time_left(kStart + 501ms), 0ms);
  join.give_up();
  EXPECT_TRUE(join.is_complete());
  EXPECT_THAT(join.missing(), ElementsAre(1u));
  EXPECT_FALSE(join.answer(1, first));
  auto second = join.begin(kStart + 600ms);
  join.expect(1);
  EXPECT_FALSE(join.answer(1, first)) << "of the picture before";
  EXPECT_TRUE(join.answer(1, second));
  EXPECT_THAT(join.missing(), IsEmpty());
}

TEST(FrameJoin, NobodyAnswersTwiceOrUnasked) {
  FrameJoin join(1s);
  auto ticket = join.begin(kStart);
  join.expect(0);
  EXPECT_FALSE(join.answer(1, ticket));
  EXPECT_TRUE(join.answer(0, ticket));
  EXPECT_FALSE(join.answer(0, ticket));
}

// Whoever is asked and however long he takes: each picture is complete or names exactly those who took too
// long, no answer counts for another picture, and none leaves before the one before it.
TEST(FrameJoin, HoldsForRandomBranches) {
  constexpr Duration kPatience = 50ms;
  std::mt19937 chance(20261123);
  for (int run = 0; run < 200; ++run) {
    FrameJoin join(kPatience);
    auto stages = 1 + chance() % 5;
    SteadyTime now = kStart;
    std::map<std::size_t, std::pair<SteadyTime, std::int64_t>> busy;  // until when, with which picture
    std::int64_t newest_out = 0;
    for (int picture = 0; picture < 30; ++picture) {
      auto ticket = join.begin(now);
      auto over_at = now + kPatience;
      std::set<std::size_t> asked, too_late;
      auto last_answer = now;
      for (std::size_t stage = 0; stage < stages; ++stage) {
        if (chance() % 3 == 0) continue;
        asked.insert(stage);
        join.expect(stage);
        // One that is still busy is asked when it has answered.
        auto from = busy.contains(stage) ? std::max(now, busy[stage].first) : now;
        if (from >= over_at) {
          too_late.insert(stage);
          continue;
        }
        auto answers_at = from + std::chrono::milliseconds(chance() % 80);
        if (busy.contains(stage)) {
          EXPECT_FALSE(join.answer(stage, busy[stage].second)) << "an old picture's";
        }
        busy[stage] = {answers_at, ticket};
        if (answers_at >= over_at) {
          too_late.insert(stage);
        } else {
          EXPECT_TRUE(join.answer(stage, ticket));
          last_answer = std::max(last_answer, answers_at);
        }
      }
      EXPECT_EQ(join.is_complete(), too_late.empty());
      if (!too_late.empty()) {
        last_answer = over_at;
        EXPECT_TRUE(join.is_over(last_answer));
        join.give_up();
      }
      EXPECT_EQ(join.missing(), too_late);
      EXPECT_TRUE(std::ranges::includes(asked, join.missing()));
      EXPECT_EQ(join.ticket(), newest_out + 1);
      newest_out = join.ticket();
      now = last_answer + 1ms;
    }
  }
}

}  // namespace
}  // namespace gopline::analyzer
