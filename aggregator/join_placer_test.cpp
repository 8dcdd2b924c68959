#include "aggregator/join_placer.h"

#include <gtest/gtest.h>

#include "common/base/test_time.h"

namespace gopline::aggregator {
namespace {

using media::Packet;
using media::Track;
using std::chrono::milliseconds;

constexpr Rational kClock{1, 90'000};

Track video(Rational time_base = kClock) {
  Track track;
  track.time_base = time_base;
  track.codec.type = media::MediaType::kVideo;
  return track;
}

// A second of ten frames, from so many milliseconds of media time on.
std::vector<Packet> a_second(std::int64_t from_ms, std::int64_t per_ms = 90) {
  std::vector<Packet> packets;
  for (std::int64_t i = 0; i < 10; ++i) {
    Packet packet;
    packet.pts = packet.dts = (from_ms + i * 100) * per_ms;
    packet.duration = 100 * per_ms;
    packets.push_back(packet);
  }
  return packets;
}

class Placed {
 public:
  Placed() : placer_({video()}) {}
  // When the first packet of the segment comes, in milliseconds since noon.
  std::int64_t operator()(milliseconds capture, const std::vector<Packet>& packets, Rational base = kClock) {
    moved_ = placer_.place(kNoon + capture, {video(base)}, packets);
    return *placer_.placed(packets.front(), kNoon).dts / 90;
  }
  void cut() { placer_.cut(); }
  bool moved() const { return moved_; }

 private:
  JoinPlacer placer_;
  bool moved_ = false;
};

TEST(JoinPlacer, ASegmentIsWhereItWasTaken) {
  Placed placed;
  EXPECT_EQ(placed(milliseconds(5000), a_second(77'000)), 5000);
}

TEST(JoinPlacer, WithinAnEpochMediaTimeGoesOnThoughTheClockTrembles) {
  Placed placed;
  placed(milliseconds(0), a_second(0));
  EXPECT_EQ(placed(milliseconds(1030), a_second(1000)), 1000);
  EXPECT_EQ(placed(milliseconds(1970), a_second(2000)), 2000);
  EXPECT_FALSE(placed.moved());
}

TEST(JoinPlacer, WhatHasComeApartIsPlacedAnew) {
  Placed placed;
  placed(milliseconds(0), a_second(0));
  EXPECT_EQ(placed(milliseconds(1050), a_second(1000)), 1050);
  EXPECT_TRUE(placed.moved());
}

TEST(JoinPlacer, NothingIsPlacedBeforeWhatWas) {
  Placed placed;
  placed(milliseconds(0), a_second(0));
  EXPECT_EQ(placed(milliseconds(400), a_second(1000)), 1000);
  placed.cut();
  EXPECT_EQ(placed(milliseconds(500), a_second(0)), 2000);
}

TEST(JoinPlacer, BehindACutCaptureTimeDecides) {
  Placed placed;
  placed(milliseconds(0), a_second(0));
  placed.cut();
  EXPECT_EQ(placed(milliseconds(9000), a_second(0)), 9000);
  EXPECT_FALSE(placed.moved()) << "it was cut";
}

TEST(JoinPlacer, ALaterEpochMayCountInOtherTicks) {
  Placed placed;
  placed(milliseconds(0), a_second(0));
  placed.cut();
  EXPECT_EQ(placed(milliseconds(3000), a_second(500, 1), {1, 1000}), 3000);
}

}  // namespace
}  // namespace gopline::aggregator
