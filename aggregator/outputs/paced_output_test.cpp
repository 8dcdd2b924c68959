#include "aggregator/outputs/paced_output.h"

#include <gmock/gmock.h>

#include <condition_variable>
#include <thread>

#include "aggregator/outputs/test_packets.h"

namespace gopline::aggregator {
namespace {

using namespace testing;
using namespace std::chrono_literals;

// Notes what comes; blocks while it is told to.
struct Noted {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> names;
  bool blocks = false, is_blocked = false, finished = false;
  std::optional<Error> failure;

  void await(std::size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return names.size() >= count; });
  }
  void await_blocked() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return is_blocked; });
  }
  void block(bool on) {
    std::lock_guard lock(mutex);
    blocks = on;
    changed.notify_all();
  }
  std::vector<std::string> all() {
    std::lock_guard lock(mutex);
    return names;
  }
};

class NotingDelivery final : public LiveDelivery {
 public:
  explicit NotingDelivery(Noted& noted) : noted_(noted) {}
  Result<void> check(const LiveRun& run) const override {
    if (run.tracks.empty()) return fail(ErrorCode::kUnsupported, "no tracks");
    return {};
  }
  void begin_run(const LiveRun& run) override { note(fmt::format("run of {}", run.tracks.size())); }
  Result<void> deliver(const LivePacket& packet) override {
    std::unique_lock lock(noted_.mutex);
    noted_.is_blocked = noted_.blocks;
    noted_.changed.notify_all();
    noted_.changed.wait(lock, [&] { return !noted_.blocks; });
    noted_.is_blocked = false;
    lock.unlock();
    note(name_of(packet));
    if (noted_.failure) return tl::unexpected(*noted_.failure);
    return {};
  }
  void finish() override { noted_.finished = true; }
  LiveOutputStats stats() const override { return {}; }

 private:
  void note(std::string name) {
    std::lock_guard lock(noted_.mutex);
    noted_.names.push_back(std::move(name));
    noted_.changed.notify_all();
  }
  Noted& noted_;
};

class PacedOutputTest : public ::testing::Test {
 protected:
  PacedOutput& begin(PacedOptions options = {}) {
    options.stream = "lobby";
    output_.emplace(std::make_unique<NotingDelivery>(noted), options, clock, stop.get_token());
    EXPECT_TRUE(output_->begin_run(make_run()));
    return *output_;
  }

  FakeClock clock;
  StopSource stop;
  Noted noted;

 private:
  std::optional<PacedOutput> output_;
};

TEST_F(PacedOutputTest, APacketLeavesWhenItIsDue) {
  auto& output = begin();
  for (auto at : {0ms, 1ms, 2ms}) ASSERT_TRUE(output.write(make_packet(0, at, at == 0ms)));
  noted.await(2);
  EXPECT_THAT(noted.all(), ElementsAre("run of 2", "v0"));
  clock.advance(1ms);
  noted.await(3);
  EXPECT_THAT(noted.all(), ElementsAre("run of 2", "v0", "v1"));
  clock.advance(1ms);
  ASSERT_TRUE(output.finish());
  EXPECT_THAT(noted.all(), ElementsAre("run of 2", "v0", "v1", "v2"));
  EXPECT_TRUE(noted.finished);
}

TEST_F(PacedOutputTest, SoundOfOneLumpAndPicturesOfTheNextLeaveInTheirOrder) {
  auto& output = begin();
  noted.block(true);
  for (auto packet : {make_packet(0, 0ms, true), make_packet(0, 20ms), make_packet(1, 30ms),
                      make_packet(1, 60ms), make_packet(0, 40ms, true), make_packet(0, 50ms)})
    ASSERT_TRUE(output.write(packet));
  clock.advance(1s);
  noted.block(false);
  ASSERT_TRUE(output.finish());
  EXPECT_THAT(noted.all(), ElementsAre("run of 2", "v0", "v20", "a30", "v40", "v50", "a60"));
}

TEST_F(PacedOutputTest, AWriterThatIsAheadOfTheClockWaitsForRoom) {
  PacedOptions options;
  options.max_bytes = 250;
  auto& output = begin(options);
  std::jthread writer([&] {
    for (int i = 0; i < 6; ++i) ASSERT_TRUE(output.write(make_packet(0, i * 1ms, true)));
  });
  for (std::size_t i = 2; i <= 7; ++i) {
    noted.await(i);
    clock.advance(1ms);
  }
  writer.join();
  EXPECT_EQ(output.stats().dropped_packets, 0U);
  EXPECT_THAT(noted.all(), ElementsAre("run of 2", "v0", "v1", "v2", "v3", "v4", "v5"));
}

TEST_F(PacedOutputTest, WhoeverIsBlockedLosesTheOldestGopsAndHoldsNobody) {
  PacedOptions options;
  options.max_bytes = 450;
  options.most_behind = 1s;
  auto& output = begin(options);
  noted.block(true);
  ASSERT_TRUE(output.write(make_packet(0, 0ms, true)));
  noted.await_blocked();
  for (int i = 1; i < 10; ++i) {  // GOPs of three pictures; none is taken
    clock.advance(1s);
    ASSERT_TRUE(output.write(make_packet(0, i * 1s, i % 3 == 0)));
  }
  noted.block(false);
  ASSERT_TRUE(output.finish());
  auto names = noted.all();
  EXPECT_THAT(names, ElementsAre("run of 2", "v0", "!v9000"));
  EXPECT_EQ(output.stats().dropped_packets, 8U);
  EXPECT_EQ(output.stats().dropped_bytes, 800U);
}

TEST_F(PacedOutputTest, AHoleThatIsLongInTheTimelineAloneIsNotWaitedFor) {
  auto& output = begin();
  ASSERT_TRUE(output.write(make_packet(0, 0ms, true)));
  noted.await(2);
  auto after = make_packet(0, 1h, true);
  after.discontinuity = true;
  ASSERT_TRUE(output.write(after));
  ASSERT_TRUE(output.finish());
  EXPECT_THAT(noted.all(), ElementsAre("run of 2", "v0", "!v3600000"));
}

TEST_F(PacedOutputTest, AStopIsPrompt) {
  auto& output = begin();
  ASSERT_TRUE(output.write(make_packet(0, 0ms, true)));
  ASSERT_TRUE(output.write(make_packet(0, 1h)));
  stop.request_stop();
  ASSERT_TRUE(output.finish());
  EXPECT_TRUE(noted.finished);
  ASSERT_TRUE(output.write(make_packet(0, 2h)));
}

TEST_F(PacedOutputTest, AnErrorOfTheDeliveryEndsTheOutput) {
  auto& output = begin();
  noted.failure = Error{ErrorCode::kUnavailable, "gone"};
  ASSERT_TRUE(output.write(make_packet(0, 0ms, true)));
  auto finished = output.finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().message, "gone");
  EXPECT_FALSE(output.write(make_packet(0, 1ms)));
  EXPECT_FALSE(output.begin_run({}));
}

}  // namespace
}  // namespace gopline::aggregator
