#include "splitter/live/capture_time.h"

#include <gtest/gtest.h>

#include <random>

namespace gopline::splitter {
namespace {

using namespace std::chrono_literals;
using record::CaptureClock;

constexpr Timestamp kBegin{std::chrono::seconds(1'700'000'000)};
constexpr SteadyTime kSteadyBegin{std::chrono::hours(100)};

// A camera that takes pictures at 25 a second of its own clock, and the way to the splitter.
struct Camera {
  double ppm = 0;           // how much faster its clock runs
  Duration clock_offset{};  // of its wall clock
  bool reports = false;
  std::mt19937 random{1};

  Duration taken(int frame) const { return Duration(std::int64_t{40'000} * frame); }  // by true time
  Duration media(int frame) const {
    return Duration(static_cast<std::int64_t>(static_cast<double>(taken(frame).count()) * (1 + ppm / 1e6)));
  }
  Duration delay() { return Duration(std::uniform_int_distribution<int>(0, 40'000)(random)); }
};

void see(CaptureTime& times, Camera& camera, int frame, Duration delay, Duration host_step = {}) {
  auto arrival = camera.taken(frame) + delay;
  std::optional<Timestamp> producer;
  if (camera.reports) producer = kBegin + camera.media(frame) + camera.clock_offset;
  times.observe(camera.media(frame), kSteadyBegin + arrival, kBegin + arrival + host_step, producer);
}

Duration error_of(const CaptureTime& times, const Camera& camera, int frame) {
  return std::chrono::abs(times.at(camera.media(frame)).time - (kBegin + camera.taken(frame)));
}

TEST(CaptureTime, ADayOfDriftStaysWithinATenthOfASecond) {
  for (double ppm : {500.0, -500.0}) {
    CaptureTime times;
    Camera camera{ppm};
    Duration worst{};
    for (int frame = 0; frame < 24 * 3600 * 25; ++frame) {
      see(times, camera, frame, camera.delay());
      if (frame > 250 && frame % 50 == 0) worst = std::max(worst, error_of(times, camera, frame));
    }
    EXPECT_LT(worst, 100ms) << ppm;
    EXPECT_EQ(times.at(0s).clock, CaptureClock::kArrival);
  }
}

TEST(CaptureTime, SenderReportsTakeOverWhenTheyCome) {
  CaptureTime times;
  Camera camera;
  for (int frame = 0; frame < 50; ++frame) see(times, camera, frame, 300ms);
  EXPECT_EQ(times.at(0s).clock, CaptureClock::kArrival);
  EXPECT_EQ(times.at(camera.media(10)).time, kBegin + camera.taken(10) + 300ms);
  camera.reports = true;
  see(times, camera, 50, 300ms);
  EXPECT_EQ(times.at(0s).clock, CaptureClock::kNtp);
  EXPECT_EQ(times.at(camera.media(10)).time, kBegin + camera.taken(10));
  EXPECT_EQ(times.skew(), -300ms);
}

TEST(CaptureTime, ACameraThatIsOffByHoursIsNotBelieved) {
  CaptureTime times;
  Camera camera{0, 3h, true};
  for (int frame = 0; frame < 50; ++frame) see(times, camera, frame, 20ms);
  EXPECT_FALSE(times.is_believed());
  EXPECT_EQ(times.at(0s).clock, CaptureClock::kArrival);
  EXPECT_EQ(error_of(times, camera, 49), 20ms);
  camera.clock_offset = {};  // somebody sets it
  see(times, camera, 50, 20ms);
  EXPECT_TRUE(times.is_believed());
  EXPECT_EQ(error_of(times, camera, 50), 0ms);
}

TEST(CaptureTime, APreBufferIsOlderThanItsArrival) {
  CaptureTime times;
  Camera camera;
  // Five seconds of footage at once, then live.
  for (int frame = 0; frame <= 125; ++frame)
    see(times, camera, frame, camera.taken(125) - camera.taken(frame));
  EXPECT_EQ(error_of(times, camera, 0), 0ms);
}

TEST(CaptureTime, AStallAndItsBurstMoveNothing) {
  CaptureTime times;
  Camera camera;
  for (int frame = 0; frame < 250; ++frame) see(times, camera, frame, 10ms);
  for (int frame = 250; frame < 500; ++frame) {
    see(times, camera, frame, camera.taken(500) - camera.taken(frame));
    EXPECT_EQ(error_of(times, camera, frame), 10ms);
  }
}

TEST(CaptureTime, FollowsTheHostsClockWhenItIsStepped) {
  CaptureTime times;
  Camera camera;
  for (int frame = 0; frame < 50; ++frame) see(times, camera, frame, 10ms);
  see(times, camera, 50, 10ms, 1h);
  EXPECT_EQ(times.at(camera.media(50)).time, kBegin + camera.taken(50) + 10ms + 1h);
}

TEST(CaptureTime, ALongerWayCountsOnceTheWindowHasPassed) {
  CaptureTime times;
  Camera camera;
  for (int frame = 0; frame < 250; ++frame) see(times, camera, frame, 10ms);
  for (int frame = 250; frame < 250 + 22 * 25; ++frame) see(times, camera, frame, 200ms);
  EXPECT_EQ(error_of(times, camera, 250 + 22 * 25), 200ms);
}

TEST(CaptureTime, APauseThatTheTimestampsDoNotShowIsBelieved) {
  CaptureTime times;
  Camera camera{0, 0s, true};
  for (int frame = 0; frame < 250; ++frame) see(times, camera, frame, 10ms);
  // The encoder stood still for 13 s: its timestamps go on, its sender reports say when.
  camera.clock_offset = 13s;
  for (int frame = 250; frame < 300; ++frame) {
    see(times, camera, frame, 13s + 10ms);
    EXPECT_EQ(times.at(camera.media(frame)).clock, CaptureClock::kNtp);
    EXPECT_EQ(times.at(camera.media(frame)).time, kBegin + camera.taken(frame) + 13s);
  }
}

TEST(CaptureTime, AfterAJumpTheOldRelationIsForgotten) {
  CaptureTime times;
  Camera camera;
  for (int frame = 0; frame < 50; ++frame) see(times, camera, frame, 10ms);
  times.forget();
  // The timeline goes on at once, though twenty seconds have passed.
  times.observe(camera.media(50), kSteadyBegin + 22s, kBegin + 22s, std::nullopt);
  EXPECT_EQ(times.at(camera.media(50)).time, kBegin + 22s);
}

}  // namespace
}  // namespace gopline::splitter
