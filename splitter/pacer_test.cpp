#include "splitter/pacer.h"

#include <gtest/gtest.h>

namespace gopline::splitter {
namespace {

using namespace std::chrono_literals;

class PacerTest : public ::testing::Test {
 protected:
  PacerTest() {
    media::Track track;
    track.time_base = {1, 1000};
    tracks_ = {track};
  }
  // When a packet of that timestamp was let through.
  SteadyTime pass(Pacer& pacer, std::int64_t milliseconds) {
    media::Packet packet;
    packet.dts = milliseconds;
    EXPECT_TRUE(pacer.wait_for(packet, stop_.get_token()));
    return clock_.steady_now();
  }

  SystemClock clock_;
  std::vector<media::Track> tracks_;
  StopSource stop_;
};

TEST_F(PacerTest, NothingIsEarly) {
  for (auto lateness : {0ms, 30ms}) {
    auto begin = clock_.steady_now();
    Pacer pacer(clock_, tracks_, lateness);
    for (int ms : {1000, 1005, 1010, 1060, 1061})
      EXPECT_GE(pass(pacer, ms), begin + std::chrono::milliseconds(ms - 1000));
  }
}

TEST_F(PacerTest, WhoWaitsDoesSoForTheNextOnesToo) {
  auto begin = clock_.steady_now();
  Pacer pacer(clock_, tracks_, 50ms);
  pass(pacer, 0);
  EXPECT_GE(pass(pacer, 10), begin + 60ms);
}

TEST_F(PacerTest, AJumpBeginsThePaceAnew) {
  Pacer pacer(clock_, tracks_, 10min);
  pass(pacer, 0);
  pass(pacer, 3'600'000);
  pass(pacer, 1000);
}

TEST_F(PacerTest, StopEndsTheWait) {
  Pacer pacer(clock_, tracks_, 10min);
  pass(pacer, 0);
  stop_.request_stop();
  media::Packet packet;
  packet.dts = 1000;
  EXPECT_FALSE(pacer.wait_for(packet, stop_.get_token()));
}

}  // namespace
}  // namespace gopline::splitter
