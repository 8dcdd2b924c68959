#include "cli/fleet_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "common/base/test_directory.h"

namespace gopline::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::vector<CameraConfig> good(const std::string& text) {
  auto cameras = parse_fleet_config(text, "cameras.yaml", {});
  EXPECT_TRUE(cameras.has_value()) << cameras.error().message;
  return cameras.value_or(std::vector<CameraConfig>{});
}
std::string wrong(const std::string& text) {
  auto cameras = parse_fleet_config(text, "cameras.yaml", {});
  EXPECT_FALSE(cameras.has_value());
  return cameras ? "" : cameras.error().message;
}

TEST(FleetConfig, ACamerasWordsGoBeforeTheDefaults) {
  auto cameras = good(R"(
defaults:
  segment_duration: 4s
  rtsp_transport: udp
cameras:
  - source: rtsp://10.0.0.5/gate
  - source: rtsp://10.0.0.6/1
    stream: site-7/yard
    rtsp_transport: tcp
    source_timeout: 30s
    max_waiting_bytes: 8MiB
    digest: sha256
    input_options: {reorder_queue_size: 200}
)");
  ASSERT_EQ(cameras.size(), 2u);
  EXPECT_EQ(cameras[0].split.stream, "gate");
  EXPECT_EQ(cameras[0].split.segmenter.segment_duration, 4s);
  EXPECT_EQ(cameras[0].live.transport, splitter::RtspTransport::kUdp);
  EXPECT_EQ(cameras[1].split.stream, "site-7/yard");
  EXPECT_EQ(cameras[1].split.segmenter.segment_duration, 4s);
  EXPECT_EQ(cameras[1].live.transport, splitter::RtspTransport::kTcp);
  EXPECT_EQ(cameras[1].live.patience, 30s);
  EXPECT_EQ(cameras[1].live.max_waiting_bytes, 8u << 20);
  EXPECT_TRUE(cameras[1].split.sha256);
  EXPECT_EQ(cameras[1].live.input_options.front(),
            std::pair(std::string("reorder_queue_size"), std::string("200")));
  EXPECT_EQ(cameras[1].line, 7);
}

TEST(FleetConfig, ACameraMayLeaveInParts) {
  auto cameras = good(
      "defaults: {part_duration: 250ms}\ncameras: [{source: rtsp://a/1, latency: low}, "
      "{source: rtsp://a/2}]");
  ASSERT_EQ(cameras.size(), 2u);
  EXPECT_EQ(cameras[0].split.segmenter.latency, splitter::Latency::kLow);
  EXPECT_EQ(cameras[0].split.segmenter.part_duration, 250ms);
  EXPECT_EQ(cameras[1].split.segmenter.latency, splitter::Latency::kNormal);
  EXPECT_THAT(wrong("cameras: [{source: rtsp://a/1, part_duration: 2s}]"), HasSubstr("200ms to 500ms"));
  EXPECT_THAT(wrong("cameras: [{source: rtsp://a/1, latency: none}]"), HasSubstr("low, normal"));
  FleetBase base;
  base.split.payload.strategy = payload::Strategy::kClaim;
  auto claims = parse_fleet_config("cameras: [{source: rtsp://a/1, latency: low}]", "cameras.yaml", base);
  ASSERT_FALSE(claims);
  EXPECT_THAT(claims.error().message, HasSubstr("cameras.yaml:1: latency: low"));
}

TEST(FleetConfig, TheExampleIsGood) {
  ::setenv("YARD_LOGIN", "viewer:secret", 1);
  TestDirectory folder;
  std::ofstream(folder.path() + "/gate.login") << "admin:secret\n";
  std::ifstream file(GOPLINE_SOURCE_DIR "/docs/cameras.yaml");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  auto cameras = parse_fleet_config(text, folder.path() + "/cameras.yaml", {});
  ASSERT_TRUE(cameras) << cameras.error().message;
  EXPECT_EQ(cameras->size(), 3u);
  EXPECT_EQ(cameras->front().login, "admin:secret");
}

TEST(FleetConfig, EveryFaultIsToldWithItsLine) {
  auto faults = wrong(R"(defaults:
  segment_duration: soon
cameras:
  - source: rtsp://10.0.0.5/gate
    sourc_timeout: 3s
  - stream: nobody
  - source: rtsp://10.0.0.6/gate
    digest: md5
    loop: maybe
)");
  EXPECT_THAT(faults, HasSubstr("cameras.yaml:2: "));
  EXPECT_THAT(faults, HasSubstr("cameras.yaml:5: there is no 'sourc_timeout'; there are: source, stream, "));
  EXPECT_THAT(faults, HasSubstr("cameras.yaml:6: this camera has no source"));
  EXPECT_THAT(faults, HasSubstr("cameras.yaml:7: there are two cameras for the stream 'gate'"));
  EXPECT_THAT(faults, HasSubstr("cameras.yaml:8: expected one of: none, sha256"));
  EXPECT_THAT(faults, HasSubstr("cameras.yaml:9: expected true or false"));
}

TEST(FleetConfig, WhatIsNoConfigurationIsSaid) {
  EXPECT_THAT(wrong(""), HasSubstr("cameras.yaml:1: expected `cameras:`"));
  EXPECT_THAT(wrong("cameras: 7"), HasSubstr("at least one"));
  EXPECT_THAT(wrong("cameras: []"), HasSubstr("at least one"));
  EXPECT_THAT(wrong("cameras:\n  - [1, 2]"), HasSubstr("cameras.yaml:2: expected a camera"));
  EXPECT_THAT(wrong("cameras:\n  - {source: x\n"), HasSubstr("cameras.yaml:"));
  EXPECT_THAT(wrong("camera:\n  - source: x\n"), HasSubstr("there is no 'camera'"));
  EXPECT_THAT(wrong("cameras:\n  - source: a\n    credentials_env: NO_SUCH_VARIABLE\n"),
              HasSubstr("cameras.yaml:3: the environment has no variable NO_SUCH_VARIABLE"));
  EXPECT_THAT(wrong("cameras:\n  - source: a\n    credentials: missing.login\n"), HasSubstr("missing.login"));
}

TEST(FleetConfig, OnlyWhatChangedHasOtherWords) {
  std::string text = "cameras:\n  - source: rtsp://a/1\n  - source: rtsp://a/2\n";
  auto before = good(text);
  auto after = good(text + "    source_timeout: 5s\n");
  EXPECT_EQ(before[0].words, after[0].words);
  EXPECT_NE(before[1].words, after[1].words);
  auto defaults = good("defaults: {loop: true}\n" + text);
  EXPECT_NE(before[0].words, defaults[0].words);
  auto moved = good("# a remark\n\n" + text);
  EXPECT_EQ(before[0].words, moved[0].words);
}

}  // namespace
}  // namespace gopline::cli
