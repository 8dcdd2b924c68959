#include "splitter/live/live_split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <thread>

#include "common/base/test_directory.h"
#include "common/log/memory_log.h"
#include "splitter/publisher_fixture.h"

namespace gopline::splitter {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// One connection to the camera: how opening it ends, or how many packets it gives and how that ends.
struct Scene {
  std::optional<Error> refused;
  int packets = 0;
  std::optional<Error> breaks;  // nullopt: the source says that this was all
  Duration outage{};            // until the next attempt can succeed
  int jumps_at = -1;            // packets after which all timestamps are an hour later, and only sound comes
};

// A clip in a loop, whose packets come no sooner than they can have been taken: reading moves the clock.
class SceneCamera final : public media::Demuxer {
 public:
  SceneCamera(FakeClock& clock, Scene scene) : clock_(clock), scene_(std::move(scene)) {
    clip_ = media::Demuxer::open({GOPLINE_SOURCE_DIR "/media/street.mp4", true, {}, {}}).value();
  }
  const media::SourceInfo& info() const override { return clip_->info(); }
  const std::vector<media::Track>& tracks() const override { return clip_->tracks(); }
  const std::vector<media::SkippedTrack>& skipped() const override { return clip_->skipped(); }
  std::uint64_t bytes_read() const override { return 0; }
  Result<std::optional<media::Packet>> read() override {
    if (scene_.packets-- == 0) {
      clock_.advance(scene_.outage);
      if (scene_.breaks) return tl::unexpected<Error>(*scene_.breaks);
      return std::nullopt;
    }
    auto packet = clip_->read();
    bool has_jumped = scene_.jumps_at >= 0 && scene_.jumps_at-- == 0;
    if (has_jumped) scene_.jumps_at = 0;
    while (has_jumped && (*packet)->track == media::main_track_of(tracks())) packet = clip_->read();
    auto time_base = tracks()[static_cast<std::size_t>((*packet)->track)].time_base;
    Duration taken(rescale(*(*packet)->pts, time_base, {1, 1'000'000}));
    if (newest_ && taken > *newest_) clock_.advance(taken - *newest_);
    newest_ = std::max(newest_.value_or(taken), taken);
    if (has_jumped) {
      auto hour = rescale(3600, {1, 1}, time_base);
      *(*packet)->pts += hour;
      *(*packet)->dts += hour;
    }
    return packet;
  }

 private:
  FakeClock& clock_;
  Scene scene_;
  std::unique_ptr<media::Demuxer> clip_;
  std::optional<Duration> newest_;
};

class LiveSplit : public PublisherTest {
 protected:
  // Plays the scenes, then stops the run.
  Result<SplitReport> play(std::vector<Scene> scenes) {
    std::size_t next = 0;
    LiveOptions live = live_;
    live.reconnect = {1ms, 2ms, 30s};
    live.open = [&](const media::DemuxerOptions& options) -> Result<std::unique_ptr<media::Demuxer>> {
      opened_.push_back(options);
      if (next == scenes.size()) {
        if (before_stop_) before_stop_();
        stop_.request_stop();
        return fail(ErrorCode::kCancelled, "stopped");
      }
      auto scene = scenes[next++];
      if (scene.refused) {
        clock_.advance(scene.outage);
        return tl::unexpected<Error>(*scene.refused);
      }
      return std::make_unique<SceneCamera>(clock_, scene);
    };
    LiveObserver observer;
    observer.on_status = [&](const SourceStatus& status) {
      auto text = std::string(to_string(status.state));
      if (status.cause) text += ":" + std::string(to_string(*status.cause));
      states_.push_back(text);
    };
    SplitOptions options;
    options.source = source_;
    options.stream = kStream;
    return split_live(log_, clock_, options, live, observer, stop_.get_token());
  }

  std::vector<record::GapFacts> gaps() {
    std::vector<record::GapFacts> out;
    for (const auto& r : records("gopline.segments")) {
      if (auto gap = record::parse_gap(r.headers, *r.value)) out.push_back(gap->facts);
    }
    return out;
  }
  std::vector<EndCause> ends() {
    std::vector<EndCause> out;
    for (const auto& r : records("gopline.segments")) {
      if (auto end = record::parse_epoch_ended(r.headers, *r.value)) out.push_back(end->cause);
    }
    return out;
  }

  LiveOptions live_;
  std::string source_ = "rtsp://camera/1";
  StopSource stop_;
  std::function<void()> before_stop_;  // after the last scene
  std::vector<media::DemuxerOptions> opened_;
  std::vector<std::string> states_;
};

const Error kSilent{ErrorCode::kUnavailable, "no packet within 10 s"};

TEST_F(LiveSplit, EveryConnectionIsAnEpochAndTheOutageIsSaid) {
  auto report = play({{{}, 200, kSilent, 20s}, {{}, 300, {}, 0s}});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->epochs, 2);
  EXPECT_EQ(report->outages, 2);
  EXPECT_EQ(report->packets, 500u);
  EXPECT_THAT(ends(), ElementsAre(EndCause::kSourceLost, EndCause::kSourceLost));
  EXPECT_THAT(states_, ElementsAre("connecting", "live", "waiting:hung", "connecting", "live",
                                   "waiting:ended", "connecting", "stopped"));
  auto entries = index();
  ASSERT_EQ(std::ssize(entries), report->epoch.segments);
  ASSERT_EQ(gaps().size(), 1u);
  auto gap = gaps().front();
  EXPECT_EQ(gap.cause, GapCause::kSourceOutage);
  auto second =
      std::ranges::find_if(entries, [&](const auto& e) { return e.epoch != entries.front().epoch; });
  EXPECT_EQ(gap.from, std::prev(second)->end_time());
  EXPECT_EQ(gap.to, second->time);
  EXPECT_GE(gap.to - gap.from, 19s);
  EXPECT_EQ(second->gap, gap);
  EXPECT_EQ(static_cast<std::int64_t>(assemble().segments), report->epoch.segments);
}

TEST_F(LiveSplit, CaptureTimesFollowTheClock) {
  auto begin = clock_.now();
  auto report = play({{{}, 500, {}, 0s}});
  ASSERT_TRUE(report) << report.error().message;
  auto entries = index();
  ASSERT_GT(entries.size(), 2u);
  EXPECT_EQ(entries.front().clock, CaptureClock::kArrival);
  EXPECT_LT(std::chrono::abs(entries.front().time - begin), 100ms);
  for (std::size_t i = 1; i < entries.size(); ++i)
    EXPECT_LT(std::chrono::abs(entries[i].time - entries[i - 1].end_time()), 100ms);
}

TEST_F(LiveSplit, SoundAloneBehindAJumpHasItsTime) {
  clock_.advance(1h);  // since the host has begun
  auto begin = clock_.now();
  auto report = play({{{}, 500, {}, 0s, 300}});
  ASSERT_TRUE(report) << report.error().message;
  auto entries = index();
  ASSERT_GT(entries.size(), 2u);
  EXPECT_EQ(entries.back().discontinuities, 1);
  for (const auto& entry : entries) {
    EXPECT_GE(entry.time, begin - 1s);
    EXPECT_LE(entry.time, clock_.now());
  }
}

TEST_F(LiveSplit, TriesUntilTheCameraIsThere) {
  Scene refused{Error{ErrorCode::kUnavailable, "Connection refused"}, 0, {}, 1s};
  Scene wrong{Error{ErrorCode::kPermissionDenied, "the password is wrong"}, 0, {}, 1s};
  auto report = play({refused, wrong, {{}, 100, kSilent, 0s}});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->epochs, 1);
  EXPECT_THAT(states_, ElementsAre("connecting", "waiting:unreachable", "connecting", "waiting:unauthorized",
                                   "connecting", "live", "waiting:hung", "connecting", "stopped"));
}

TEST_F(LiveSplit, GoesOnWhereAnEarlierRunEnded) {
  ASSERT_TRUE(play({{{}, 200, {}, 0s}}));
  auto end = index().back().end_time();
  clock_.advance(1h);
  stop_ = {};
  ASSERT_TRUE(play({{{}, 200, {}, 0s}}));
  ASSERT_EQ(gaps().size(), 1u);
  EXPECT_EQ(gaps().front().from, end);
  EXPECT_GE(gaps().front().to - end, 59min);
}

TEST_F(LiveSplit, UdpFallsBackToTcpWhereNothingComes) {
  live_.transport = RtspTransport::kUdp;
  Scene nothing{Error{ErrorCode::kUnavailable, "no answer within 10 s"}, 0, {}, 0s};
  ASSERT_TRUE(play({nothing, {{}, 100, kSilent, 0s}}));
  ASSERT_EQ(opened_.size(), 3u);
  auto transport = [&](std::size_t i) { return opened_[i].options.back().second; };
  EXPECT_EQ(transport(0), "udp");
  EXPECT_EQ(transport(1), "tcp");
  EXPECT_EQ(transport(2), "tcp");
}

TEST_F(LiveSplit, WhatCannotEverWorkEndsTheRun) {
  auto report = play({{Error{ErrorCode::kUnsupported, "srt: Protocol not found"}, 0, {}, 0s}});
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("Protocol not found"));
  EXPECT_EQ(opened_.size(), 1u);
}

TEST_F(LiveSplit, TheEndOfStandardInputIsTheRuns) {
  source_ = "-";
  auto report = play({{{}, 200, {}, 0s}});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->cause, EndCause::kEndOfInput);
  EXPECT_EQ(report->outages, 0);
  EXPECT_EQ(report->packets, 200u);
  EXPECT_EQ(opened_.size(), 1u);
  EXPECT_THAT(ends(), ElementsAre(EndCause::kEndOfInput));
  EXPECT_THAT(states_, ElementsAre("connecting", "live", "stopped"));
}

TEST_F(LiveSplit, StandardInputThatIsNoVideoIsNotTriedAgain) {
  source_ = "-";
  auto report = play({{Error{ErrorCode::kCorrupt, "standard input: no video"}, 0, {}, 0s}});
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("no video"));
  EXPECT_EQ(opened_.size(), 1u);
}

TEST_F(LiveSplit, ALogThatFailsIsTriedAgainAndWhatItRefusedIsTold) {
  log_.reject_next_appends(1, {ErrorCode::kUnavailable, "busy"});
  before_stop_ = [&] {  // after which a refusal is the last
    while (index().empty()) std::this_thread::yield();
  };
  auto report = play({{{}, 400, {}, 0s}});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(assemble().lost_segments, 0u);
  EXPECT_GT(report->epoch.segments, 2);
}

TEST_F(LiveSplit, WhatALogRefusedIsWrittenWhenItTakesAgain) {
  TestDirectory folder;
  live_.spill = folder.path();
  live_.max_waiting_bytes = 100'000;  // less than a segment
  log_.fail_next_appends(2, {ErrorCode::kUnavailable, "away"});
  before_stop_ = [&] {
    while (index().empty()) std::this_thread::yield();
  };
  auto report = play({{{}, 400, {}, 0s}, {{}, 400, kSilent, 5s}, {{}, 200, {}, 0s}});
  ASSERT_TRUE(report) << report.error().message;
  std::map<Timestamp, int> seen;
  for (const auto& entry : index()) ++seen[entry.time];
  for (const auto& [time, count] : seen) EXPECT_GE(count, 1);
  EXPECT_EQ(report->packets, 1000u);
  EXPECT_GE(std::ssize(seen), 10);  // of 7 s, 7 s and 3.5 s of footage in segments of 2 s
  EXPECT_TRUE(std::filesystem::is_empty(folder.path() + "/stream-site-7%2Fdoor-2"));
}

TEST_F(LiveSplit, WhatALogNeverTookIsWrittenByTheNextRun) {
  TestDirectory folder;
  live_.spill = folder.path();
  log_.reject_next_appends(1'000'000, {ErrorCode::kUnavailable, "away"});
  auto report = play({{{}, 400, {}, 0s}});
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("will be written by the next run"));
  EXPECT_TRUE(index().empty());
  log_.reject_next_appends(0, {});
  auto ended = clock_.now();
  clock_.advance(1min);
  stop_ = {};
  report = play({{{}, 200, {}, 0s}});
  ASSERT_TRUE(report) << report.error().message;
  auto entries = index();
  ASSERT_EQ(entries.size(), 6u);  // of 7 s and 3.5 s of footage in segments of 2 s
  EXPECT_LT(entries.front().time, ended - 6s);
  for (std::size_t i = 1; i < entries.size(); ++i) EXPECT_GT(entries[i].time, entries[i - 1].time);
  auto missing = gaps();
  ASSERT_EQ(missing.size(), 1u);  // between the runs, and none within
  EXPECT_GE(missing.front().to - missing.front().from, 59s);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path() + "/stream-site-7%2Fdoor-2"));
}

TEST(WaitingBytes, AreSharedByManySources) {
  EXPECT_EQ(share_of_waiting_bytes(0), 64u << 20);
  EXPECT_EQ(share_of_waiting_bytes(32), 64u << 20);
  EXPECT_EQ(share_of_waiting_bytes(64), 32u << 20);
  EXPECT_EQ(share_of_waiting_bytes(5000), 4u << 20);
}

TEST(LiveUrl, IsKnownByItsScheme) {
  EXPECT_TRUE(is_live_url("rtsp://camera/1"));
  EXPECT_TRUE(is_live_url("rtsps://camera/1"));
  EXPECT_TRUE(is_live_url("udp://239.0.0.1:1234"));
  EXPECT_TRUE(is_live_url("srt://host:9000"));
  EXPECT_FALSE(is_live_url("clip.mp4"));
  EXPECT_FALSE(is_live_url("https://host/clip.mp4"));
  EXPECT_FALSE(is_live_url("rtsp"));
}

}  // namespace
}  // namespace gopline::splitter
