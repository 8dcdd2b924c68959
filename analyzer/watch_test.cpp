#include "analyzer/watch.h"

#include <gtest/gtest.h>

#include <string>

namespace gopline::analyzer {
namespace {

using Say = Watch::Say;

// One picture each 100 ms, 'x' where something moves; what is said at each: s(tart), u(pdate), e(nd) or '.'.
// `begun`: the first one that is seen.
std::string said(const std::string& moves, WatchOptions options, std::size_t begun = 0) {
  Watch watch(options);
  std::string out;
  Timestamp time{begun * std::chrono::milliseconds(100)};
  for (char one : moves.substr(begun)) {
    auto say = watch.look(time, one == 'x');
    out += say == Say::kStart ? 's' : say == Say::kUpdate ? 'u' : say == Say::kEnd ? 'e' : '.';
    time += std::chrono::milliseconds(100);
  }
  return out;
}

WatchOptions options(int min_ms, int quiet_ms, int most_ms = 60'000, int update_ms = 0) {
  using std::chrono::milliseconds;
  return {milliseconds(min_ms), milliseconds(quiet_ms), milliseconds(most_ms), milliseconds(update_ms)};
}

TEST(Watch, BeginsWhenItHasLastedAndEndsWhenItIsStill) {
  EXPECT_EQ(said("..xxxxx.......", options(200, 300)), "....s....e....");
  EXPECT_EQ(said("..xx..........", options(200, 300)), "..............") << "too short";
  EXPECT_EQ(said("xxx.xx.x......", options(200, 300)), "..s.......e...") << "stillness that is too short";
  EXPECT_EQ(said("x..x.....x..xx", options(300, 300)), "...s..e.....s.");
}

TEST(Watch, MotionThatComesAndGoesIsNotAddedUp) {
  EXPECT_EQ(said("x....x....x...", options(200, 300)), "..............");
}

TEST(Watch, UpdatesWhileSomethingMoves) {
  EXPECT_EQ(said("xxxxxxxxx.....", options(200, 300, 60'000, 200)), "..s.u.u.u..e..");
}

TEST(Watch, EventsEndAtMultiplesOfTheMost) {
  EXPECT_EQ(said("xxxxxxxxxxxxx", options(200, 300, 500)), "..s..e.s..e.s");
}

TEST(Watch, WhoBeginsInTheMiddleSaysTheSameFromTheNextMultipleOn) {
  const std::string moves = "..xxxxxxx.xxxxxxxxxxxxxxxxxx.xxxxxxxxxxxxxx......xxxxxxxx....";
  auto all = said(moves, options(200, 300, 500, 200));
  for (std::size_t begun = 0; begun <= 20; ++begun) {
    auto later = said(moves, options(200, 300, 500, 200), begun);
    EXPECT_EQ(later.substr(30 - begun), all.substr(30)) << begun;
  }
}

TEST(Watch, SaysWhereItBegan) {
  Watch watch(options(200, 300));
  Timestamp start{std::chrono::seconds(5)};
  for (int i = 0; i < 3; ++i) watch.look(start + i * std::chrono::milliseconds(100), true);
  EXPECT_TRUE(watch.is_open());
  EXPECT_EQ(watch.began(), start);
}

}  // namespace
}  // namespace gopline::analyzer
