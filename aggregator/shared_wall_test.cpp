#include "aggregator/shared_wall.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "common/media/frames/canvas.h"

namespace gopline::aggregator {
namespace {

const Axis kAxis({10, 1});

Showing showing(std::int64_t instant) {
  auto canvas = *media::Canvas::make(64, 64);
  return {instant, instant + 1, kAxis.time_of(instant), kAxis.time_of(instant + 1), canvas.picture()};
}

TEST(SharedWall, WhoPushesWaitsWhileItsShareIsFull) {
  FakeClock clock;
  auto picture = showing(0).picture.bytes();
  SharedWall wall(2, kAxis, {}, picture * 4, clock);
  std::jthread first([&](const StopToken& stop) {
    for (std::int64_t i = 100; i < 150; ++i) EXPECT_TRUE(wall.push(0, showing(i), stop));
    wall.finish(0);
  });
  std::jthread second([&](const StopToken& stop) {
    for (std::int64_t i = 100; i < 150; ++i) EXPECT_TRUE(wall.push(1, showing(i), stop));
    wall.finish(1);
  });
  std::int64_t expected = 100;
  while (auto instant = wall.next({})) {
    EXPECT_EQ(instant->instant, expected++);
    EXPECT_LE(wall.waiting_bytes(0), picture * 2);
    EXPECT_LE(wall.waiting_bytes(1), picture * 2);
    EXPECT_TRUE(instant->tiles[0].has_signal && instant->tiles[1].has_signal);
  }
  EXPECT_EQ(expected, 150);
}

TEST(SharedWall, AStopEndsWhoeverWaits) {
  FakeClock clock;
  SharedWall wall(2, kAxis, {}, 1, clock);
  StopSource stop;
  std::promise<void> pushed;
  std::jthread pusher([&] {
    EXPECT_TRUE(wall.push(0, showing(100), stop.get_token())) << "one picture goes alone";
    pushed.set_value();
    EXPECT_FALSE(wall.push(0, showing(101), stop.get_token())) << "the other tile has nothing, so it waits";
    wall.finish(0);
  });
  pushed.get_future().wait();
  stop.request_stop();
  pusher.join();
  EXPECT_FALSE(wall.next(stop.get_token()));
  wall.finish(1);
  auto instant = wall.next({});
  ASSERT_TRUE(instant);
  EXPECT_TRUE(instant->tiles[0].has_signal);
  EXPECT_FALSE(instant->tiles[1].has_signal);
  EXPECT_FALSE(wall.next({}));
}

TEST(SharedWall, SoundThatNoPictureComesForIsDroppedAndCounted) {
  FakeClock clock;
  SharedWall wall(1, kAxis, {}, 1, clock);
  std::vector<float> second(SoundLine::kRate * SoundLine::kChannels, 0.5F);
  auto bytes = second.size() * sizeof(float);
  auto time = kAxis.time_of(1000);
  for (int i = 0; i < 300; ++i) wall.hear(time + std::chrono::seconds(i), second);
  auto kept = (std::size_t{64} << 20) / bytes;
  EXPECT_EQ(wall.lost_sound(), (300 - kept) * bytes);
  EXPECT_EQ(wall.take_sound(time, time + std::chrono::seconds(1)), second);
}

}  // namespace
}  // namespace gopline::aggregator
