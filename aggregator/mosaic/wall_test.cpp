#include "aggregator/mosaic/wall.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace gopline::aggregator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Axis kAxis({10, 1});
constexpr std::int64_t kNone = -1;

Showing showing(std::int64_t begin, std::int64_t end) {
  return {begin, end, kAxis.time_of(begin), kAxis.time_of(end), {}};
}

SteadyTime at(Duration time) {
  return SteadyTime{} + time;
}

// Per tile, the first instant of the frame that is shown; kNone: no signal.
std::vector<std::int64_t> frames_of(const WallInstant& instant) {
  std::vector<std::int64_t> out;
  for (const auto& tile : instant.tiles) out.push_back(tile.has_signal ? kAxis.instant_of(tile.time) : kNone);
  return out;
}

std::map<std::int64_t, std::vector<std::int64_t>> pop_all(Wall& wall, SteadyTime now = {}) {
  std::map<std::int64_t, std::vector<std::int64_t>> out;
  while (auto instant = wall.pop(now)) out[instant->instant] = frames_of(*instant);
  return out;
}

using Instants = std::map<std::int64_t, std::vector<std::int64_t>>;

TEST(Wall, ShowsOfEveryStreamTheFrameOfThatTime) {
  Wall wall(2, kAxis, {});
  for (std::int64_t i = 100; i < 104; ++i) wall.push(0, showing(i, i + 1), {});
  wall.push(1, showing(100, 102), {});
  wall.push(1, showing(102, 104), {});
  EXPECT_EQ(pop_all(wall),
            (Instants{{100, {100, 100}}, {101, {101, 100}}, {102, {102, 102}}, {103, {103, 102}}}));
  EXPECT_EQ(wall.stats(0).shown, 4U);
  EXPECT_EQ(wall.stats(1).shown, 2U);
}

TEST(Wall, WaitsForAStreamWhoseFrameIsNotKnown) {
  Wall wall(2, kAxis, {});
  wall.push(0, showing(100, 101), {});
  EXPECT_FALSE(wall.pop(at(seconds(99))));
  EXPECT_FALSE(wall.next_due());
  wall.push(1, showing(100, 101), {});
  EXPECT_EQ(pop_all(wall), (Instants{{100, {100, 100}}}));
}

TEST(Wall, AGapIsNoSignalSinceThenAndAnEndIsToo) {
  Wall wall(2, kAxis, {});
  wall.push(0, showing(100, 101), {});
  wall.push(0, showing(103, 104), {});
  wall.push(1, showing(100, 102), {});
  wall.finish(1);
  auto first = wall.pop({});
  auto second = wall.pop({});
  auto third = wall.pop({});
  ASSERT_TRUE(first && second && third);
  EXPECT_EQ(frames_of(*first), (std::vector<std::int64_t>{100, 100}));
  EXPECT_EQ(frames_of(*second), (std::vector<std::int64_t>{kNone, 100}));
  EXPECT_EQ(second->tiles[0].lost_since, kAxis.time_of(101));
  EXPECT_EQ(frames_of(*third), (std::vector<std::int64_t>{kNone, kNone}));
  EXPECT_EQ(third->tiles[1].lost_since, kAxis.time_of(102));
  EXPECT_EQ(pop_all(wall), (Instants{{103, {103, kNone}}}));
  EXPECT_FALSE(wall.is_over()) << "the first may go on";
  wall.finish(0);
  EXPECT_TRUE(wall.is_over());
  EXPECT_EQ(wall.stats(0).outages, 1U);
  EXPECT_EQ(wall.stats(0).blank, 2U);
  EXPECT_EQ(wall.stats(1).outages, 1U);
}

TEST(Wall, BeginsWithTheEarliestOfAll) {
  Wall wall(2, kAxis, {});
  wall.push(0, showing(105, 106), {});
  EXPECT_FALSE(wall.pop({}));
  wall.push(1, showing(104, 105), {});
  EXPECT_EQ(pop_all(wall), (Instants{{104, {kNone, 104}}}));
  wall.finish(1);
  EXPECT_EQ(pop_all(wall), (Instants{{105, {105, kNone}}}));
}

TEST(Wall, ARangeIsKeptToTheInstant) {
  WallOptions options;
  options.from = 102;
  options.until = 104;
  Wall wall(1, kAxis, options);
  for (std::int64_t i = 100; i < 110; ++i) wall.push(0, showing(i, i + 1), {});
  EXPECT_EQ(pop_all(wall), (Instants{{102, {102}}, {103, {103}}}));
  EXPECT_TRUE(wall.is_over());
  EXPECT_EQ(wall.stats(0).late, 0U);
}

TEST(Wall, WhoIsSilentDelaysTheOthersOnce) {
  WallOptions options;
  options.give_up = seconds(5);
  Wall wall(2, kAxis, options);
  wall.push(0, showing(100, 101), at(seconds(1)));
  wall.push(1, showing(100, 101), at(seconds(2)));
  EXPECT_EQ(pop_all(wall, at(seconds(2))), (Instants{{100, {100, 100}}}));
  wall.push(0, showing(101, 102), at(seconds(3)));
  EXPECT_EQ(wall.next_due(), at(seconds(8)));
  EXPECT_FALSE(wall.pop(at(milliseconds(7999))));
  EXPECT_EQ(pop_all(wall, at(seconds(8))), (Instants{{101, {101, kNone}}}));
  wall.push(0, showing(102, 103), at(seconds(9)));
  EXPECT_EQ(pop_all(wall, at(seconds(9))), (Instants{{102, {102, kNone}}})) << "it is not waited for again";
}

TEST(Wall, WhoComesTooLateIsCountedAndWhoComesInTimeAgainIsWaitedFor) {
  WallOptions options;
  options.give_up = seconds(5);
  Wall wall(2, kAxis, options);
  wall.push(0, showing(100, 101), {});
  wall.push(1, showing(100, 101), {});
  wall.push(0, showing(101, 103), {});
  EXPECT_EQ(pop_all(wall, at(seconds(5))),
            (Instants{{100, {100, 100}}, {101, {101, kNone}}, {102, {101, kNone}}}));
  wall.push(1, showing(101, 102), at(seconds(6)));
  EXPECT_EQ(wall.stats(1).late, 1U);
  wall.push(1, showing(102, 104), at(seconds(6)));
  wall.push(0, showing(103, 105), at(seconds(6)));
  EXPECT_EQ(pop_all(wall, at(seconds(6))), (Instants{{103, {103, 102}}}));
  EXPECT_FALSE(wall.pop(at(seconds(7)))) << "it has come with something, so it is waited for";
  EXPECT_EQ(pop_all(wall, at(seconds(11))), (Instants{{104, {103, kNone}}}));
}

// Whatever the frames and gaps, and in whatever order the streams come: every instant once, in order, and
// each tile as a reader of all lines at once would have it.
TEST(WallProperty, ShowsTheSameInWhateverOrderStreamsCome) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    auto below = [&](std::int64_t most) {
      return std::uniform_int_distribution<std::int64_t>(0, most - 1)(random);
    };
    auto tiles = static_cast<std::size_t>(1 + below(4));
    std::vector<std::vector<Showing>> lines(tiles);
    std::int64_t first = INT64_MAX, last = 0;
    for (auto& line : lines) {
      std::int64_t end = 1000 + below(10);
      for (auto count = below(30); count >= 0; --count) {
        auto begin = end + (below(4) == 0 ? below(6) : 0);
        end = begin + 1 + below(3);
        line.push_back(showing(begin, end));
      }
      first = std::min(first, line.front().begin);
      last = std::max(last, line.back().end);
    }
    Wall wall(tiles, kAxis, {});
    std::vector<std::size_t> done(tiles, 0);
    std::int64_t expected = first;
    auto check = [&] {
      while (auto instant = wall.pop({})) {
        ASSERT_EQ(instant->instant, expected++) << "seed " << seed;
        for (std::size_t tile = 0; tile < tiles; ++tile) {
          auto there = std::ranges::find_if(lines[tile], [&](const Showing& one) {
            return one.begin <= instant->instant && instant->instant < one.end;
          });
          auto frame = there == lines[tile].end() ? kNone : there->begin;
          ASSERT_EQ(frames_of(*instant)[tile], frame) << "seed " << seed << ", instant " << instant->instant;
        }
      }
    };
    while (!wall.is_over()) {
      auto tile = static_cast<std::size_t>(below(static_cast<std::int64_t>(tiles)));
      if (done[tile] < lines[tile].size()) {
        wall.push(tile, lines[tile][done[tile]++], {});
      } else {
        wall.finish(tile);
      }
      check();
    }
    ASSERT_EQ(expected, last) << "seed " << seed;
    for (std::size_t tile = 0; tile < tiles; ++tile) {
      ASSERT_EQ(wall.stats(tile).shown, lines[tile].size()) << "seed " << seed;
      ASSERT_EQ(wall.stats(tile).late, 0U);
    }
  }
}

// With giving up: no instant waits longer than the bound after the first stream has come as far, and each
// frame is shown or counted as late.
TEST(WallProperty, NobodyIsHeldUpLongerThanTheBound) {
  constexpr auto kGiveUp = milliseconds(700);
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    auto below = [&](int most) { return std::uniform_int_distribution<int>(0, most - 1)(random); };
    WallOptions options;
    options.give_up = kGiveUp;
    Wall wall(3, kAxis, options);
    std::vector<std::int64_t> next(3, 1000);
    std::map<std::int64_t, SteadyTime> first_there;  // by instant
    std::vector<std::uint64_t> pushed(3, 0);
    std::int64_t expected = kNone;
    auto take = [&](SteadyTime now) {
      while (auto instant = wall.pop(now)) {
        if (expected != kNone) {
          ASSERT_EQ(instant->instant, expected) << "seed " << seed;
        }
        expected = instant->instant + 1;
        ASSERT_LE(now, first_there.at(instant->instant) + kGiveUp) << "seed " << seed;
      }
    };
    for (int step = 0; step < 600; ++step) {
      auto now = at(milliseconds(step * 20));
      for (std::size_t tile = 0; tile < 3; ++tile) {
        bool silent = tile == 2 && step % 200 < 100;
        if (silent || below(5) != 0) continue;
        for (auto instant = next[tile]; instant < next[tile] + 2; ++instant)
          first_there.try_emplace(instant, now);
        wall.push(tile, showing(next[tile], next[tile] + 2), now);
        next[tile] += 2;
        ++pushed[tile];
      }
      take(now);
    }
    for (std::size_t tile = 0; tile < 3; ++tile) wall.finish(tile);
    while (wall.pop(at(seconds(100)))) {
    }
    for (std::size_t tile = 0; tile < 3; ++tile) {
      ASSERT_EQ(wall.stats(tile).shown + wall.stats(tile).late, pushed[tile]) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace gopline::aggregator
