#include "aggregator/outputs/push_delivery.h"

#include <gmock/gmock.h>

#include "aggregator/outputs/test_packets.h"

namespace gopline::aggregator {
namespace {

using namespace testing;
using namespace std::chrono_literals;

// A receiver that can go away, and what it has had over all connections.
struct FakeReceiver {
  bool there = true;
  bool refuses_other_tracks = true;
  std::vector<std::string> had;
};

class FakeMuxer final : public media::NetworkMuxer {
 public:
  explicit FakeMuxer(FakeReceiver& receiver) : receiver_(receiver) {}
  Result<void> write(const media::LivePacket& packet) override {
    if (!receiver_.there) return fail(ErrorCode::kUnavailable, "receiver: connection reset");
    receiver_.had.push_back(name_of(packet));
    bytes_ += packet.packet.data.size();
    return {};
  }
  Result<bool> change_tracks(const std::vector<media::Track>&) override {
    receiver_.had.emplace_back("other tracks");
    return !receiver_.refuses_other_tracks;
  }
  void finish() override { receiver_.had.emplace_back("farewell"); }
  std::uint64_t bytes_written() const override { return bytes_; }

 private:
  FakeReceiver& receiver_;
  std::uint64_t bytes_ = 0;
};

class PushDeliveryTest : public ::testing::Test {
 protected:
  PushDelivery& begin(bool tries_again = true) {
    PushOptions options;
    options.stream = "lobby";
    options.target.name = "srt://receiver:9000";
    options.target.format = "mpegts";
    options.tries_again = tries_again;
    push_.emplace(
        std::move(options), clock, stop.get_token(),
        [&](const auto&, Timestamp, const StopToken&) -> Result<std::unique_ptr<media::NetworkMuxer>> {
          ++attempts;
          if (!receiver.there) return fail(ErrorCode::kUnavailable, "receiver: connection refused");
          receiver.had.emplace_back("hello");
          return std::make_unique<FakeMuxer>(receiver);
        });
    push_->begin_run(make_run());
    return *push_;
  }

  FakeClock clock;
  StopSource stop;
  FakeReceiver receiver;
  int attempts = 0;

 private:
  std::optional<PushDelivery> push_;
};

TEST_F(PushDeliveryTest, WhatIsDeliveredIsSent) {
  auto& push = begin();
  ASSERT_TRUE(push.deliver(make_packet(0, 0ms, true)));
  ASSERT_TRUE(push.deliver(make_packet(1, 20ms, true)));
  push.finish();
  EXPECT_THAT(receiver.had, ElementsAre("hello", "v0", "a20", "farewell"));
  EXPECT_EQ(push.stats().sent_packets, 2U);
  EXPECT_EQ(push.stats().sent_bytes, 200U);
  EXPECT_EQ(push.stats().dropped_packets, 0U);
}

TEST_F(PushDeliveryTest, AReceiverThatComesBackBeginsAtAKeyFrame) {
  auto& push = begin();
  ASSERT_TRUE(push.deliver(make_packet(0, 0ms, true)));
  receiver.there = false;
  ASSERT_TRUE(push.deliver(make_packet(0, 40ms)));
  ASSERT_TRUE(push.deliver(make_packet(0, 80ms)));
  receiver.there = true;
  clock.advance(1s);
  ASSERT_TRUE(push.deliver(make_packet(0, 120ms)));
  ASSERT_TRUE(push.deliver(make_packet(1, 130ms, true)));
  ASSERT_TRUE(push.deliver(make_packet(0, 160ms, true)));
  ASSERT_TRUE(push.deliver(make_packet(0, 200ms)));
  EXPECT_THAT(receiver.had, ElementsAre("hello", "v0", "hello", "!v160", "v200"));
  EXPECT_EQ(push.stats().connections, 2U);
  EXPECT_EQ(push.stats().dropped_packets, 4U);
  EXPECT_EQ(push.stats().sent_bytes, 300U);
}

TEST_F(PushDeliveryTest, AReceiverThatIsAwayIsTriedLessAndLessOften) {
  receiver.there = false;
  auto& push = begin();
  for (int i = 0; i < 6000; ++i) {  // ten minutes
    ASSERT_TRUE(push.deliver(make_packet(0, i * 100ms, true)));
    clock.advance(100ms);
  }
  EXPECT_GE(attempts, 20);
  EXPECT_LE(attempts, 50);
  EXPECT_EQ(push.stats().dropped_packets, 6000U);
}

TEST_F(PushDeliveryTest, WithoutFollowingAReceiverThatGoesAwayIsAnError) {
  auto& push = begin(false);
  ASSERT_TRUE(push.deliver(make_packet(0, 0ms, true)));
  receiver.there = false;
  auto failed = push.deliver(make_packet(0, 40ms));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "receiver: connection reset");
}

TEST_F(PushDeliveryTest, OtherTracksAreSaidInTheSameConnectionOrInAnother) {
  auto other = make_run();
  other.tracks[0].codec.width = 640;
  for (bool refuses : {false, true}) {
    receiver.had.clear();
    receiver.refuses_other_tracks = refuses;
    auto& push = begin();
    ASSERT_TRUE(push.deliver(make_packet(0, 0ms, true)));
    push.begin_run(make_run());  // the same: nothing is said
    push.begin_run(other);
    ASSERT_TRUE(push.deliver(make_packet(0, 40ms, true)));
    if (refuses) {
      EXPECT_THAT(receiver.had, ElementsAre("hello", "v0", "other tracks", "farewell", "hello", "v40"));
    } else {
      EXPECT_THAT(receiver.had, ElementsAre("hello", "v0", "other tracks", "v40"));
    }
  }
}

TEST_F(PushDeliveryTest, ATrackWithoutAWordIsLeftOutAndCounted) {
  auto& push = begin();
  auto run = make_run();
  run.tracks[1] = make_track("pcm_alaw", media::MediaType::kAudio);
  EXPECT_TRUE(push.check(run));
  push.begin_run(run);
  ASSERT_TRUE(push.deliver(make_packet(0, 0ms, true)));
  ASSERT_TRUE(push.deliver(make_packet(1, 20ms, true)));
  EXPECT_THAT(receiver.had, ElementsAre("hello", "v0"));
  EXPECT_EQ(push.stats().left_out_packets, 1U);
  EXPECT_EQ(push.stats().dropped_packets, 0U);
}

TEST_F(PushDeliveryTest, AMainTrackWithoutAWordIsAnError) {
  auto& push = begin();
  auto run = make_run();
  run.tracks[0].codec.codec = "av1";
  auto checked = push.check(run);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(checked.error().message, AllOf(HasSubstr("av1"), HasSubstr("mpegts")));
}

TEST_F(PushDeliveryTest, AStopIsNoOutage) {
  auto& push = begin(false);
  ASSERT_TRUE(push.deliver(make_packet(0, 0ms, true)));
  receiver.there = false;
  stop.request_stop();
  EXPECT_TRUE(push.deliver(make_packet(0, 40ms)));
}

}  // namespace
}  // namespace gopline::aggregator
