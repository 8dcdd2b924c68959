#include "common/media/remux_timestamps.h"

#include <gtest/gtest.h>

namespace gopline::media {
namespace {

constexpr Rational kTs{1, 90000};
constexpr Rational kMs{1, 1000};

RemuxTrack video(Rational from = kTs, Rational to = kTs) {
  return {.type = MediaType::kVideo,
          .source_base = from,
          .output_base = to,
          .frame_rate = {25, 1},
          .start_time = {}};
}

RemuxTrack sound(Rational from = kTs, Rational to = kTs) {
  return {.type = MediaType::kAudio,
          .source_base = from,
          .output_base = to,
          .sample_rate = 48000,
          .frame_size = 1024,
          .start_time = {}};
}

Packet at(std::optional<std::int64_t> pts, std::optional<std::int64_t> dts, std::int64_t duration = 3600,
          int track = 0, bool key = true) {
  Packet packet;
  packet.track = track;
  packet.pts = pts;
  packet.dts = dts;
  packet.duration = duration;
  packet.flags = key ? packet_flags::kKey : 0;
  return packet;
}

RemuxTimes times(std::int64_t pts, std::int64_t dts, std::int64_t duration = 3600) {
  return {pts, dts, duration};
}

class Dialects : public ::testing::TestWithParam<RemuxDialect> {
 protected:
  RemuxTimestamps make(RemuxSettings settings, std::vector<RemuxTrack> tracks) const {
    settings.dialect = GetParam();
    return RemuxTimestamps(settings, std::move(tracks));
  }
};

TEST_P(Dialects, TheFilesStartBecomesZero) {
  auto remux = make({.start_time_us = 10'000'000}, {video(), sound(kTs, {1, 48000})});
  EXPECT_EQ(remux.next(at(907200, 900000), 0), times(7200, 0));
  EXPECT_EQ(remux.next(at(900000, 900000, 1920, 1), 1024), times(0, 0, 1024));
}

TEST_P(Dialects, PacketsBeforeTheFirstKeyPacketAreLeftOut) {
  auto remux = make({}, {video()});
  EXPECT_EQ(remux.next(at(0, 0, 3600, 0, false), 0), std::nullopt);
  EXPECT_EQ(remux.next(at(3600, 3600), 0), times(3600, 3600));
  EXPECT_EQ(remux.next(at(7200, 7200, 3600, 0, false), 0), times(7200, 7200));
}

TEST_P(Dialects, AJumpIsClosedWhereTimestampsMayJump) {
  auto remux = make({.start_time_us = 0, .timestamps_may_jump = true}, {video()});
  remux.next(at(0, 0), 0);
  EXPECT_EQ(remux.next(at(90000 * 100, 90000 * 100), 0), times(3600, 3600));
  EXPECT_EQ(remux.next(at(90000 * 100 + 3600, 90000 * 100 + 3600), 0), times(7200, 7200));
  EXPECT_EQ(remux.next(at(0, 0), 0), times(10800, 10800)) << "back again";
}

TEST_P(Dialects, ASmallForwardJumpStaysAndSoDoesAnyInOtherFormats) {
  auto remux = make({.start_time_us = 0, .timestamps_may_jump = true}, {video()});
  remux.next(at(0, 0), 0);
  EXPECT_EQ(remux.next(at(90000 * 9, 90000 * 9), 0), times(90000 * 9, 90000 * 9));
  auto file = make({}, {video()});
  file.next(at(0, 0), 0);
  EXPECT_EQ(file.next(at(90000 * 100, 90000 * 100), 0), times(90000 * 100, 90000 * 100));
}

TEST_P(Dialects, AStreamThatBeginsElsewhereIsMovedToTheOthers) {
  auto remux = make({.start_time_us = 0, .timestamps_may_jump = true}, {video(), sound()});
  remux.next(at(0, 0), 0);
  EXPECT_EQ(remux.next(at(90000 * 60, 90000 * 60, 1920, 1), 1024), times(0, 0, 1920));
}

TEST_P(Dialects, MissingDtsIsEstimatedFromReorderingAndFrameRate) {
  auto track = video(kMs, kMs);
  track.video_delay = 2;
  auto remux = make({}, {track});
  EXPECT_EQ(remux.next(at(0, std::nullopt, 40), 0), times(0, -80, 40));
  EXPECT_EQ(remux.next(at(160, std::nullopt, 40), 0), times(160, -40, 40));
  EXPECT_EQ(remux.next(at(80, std::nullopt, 40), 0), times(80, 0, 40));
}

TEST_P(Dialects, DtsNeverRepeatUnlessTheContainerLikesIt) {
  auto remux = make({}, {video()});
  remux.next(at(3600, 3600), 0);
  EXPECT_EQ(remux.next(at(3600, 3600), 0), times(3601, 3601));
  EXPECT_EQ(remux.next(at(10800, 0), 0), times(10800, 3602));
  RemuxSettings loose;
  loose.strict_dts = false;
  auto flv = make(loose, {video()});
  flv.next(at(3600, 3600), 0);
  EXPECT_EQ(flv.next(at(3600, 3600), 0), times(3600, 3600));
}

TEST_P(Dialects, DtsBeyondPtsBecomesTheMiddleOne) {
  auto remux = make({}, {video()});
  remux.next(at(0, 0), 0);
  EXPECT_EQ(remux.next(at(3600, 7200), 0), times(3600, 3600));
  EXPECT_EQ(remux.next(at(100, 7200), 0), times(3601, 3601));
}

TEST_P(Dialects, SoundInCoarseTicksFollowsItsSamples) {
  // 1024 samples of 44.1 kHz are 23.22 ms; a source of milliseconds says 0, 23, 46, 70.
  auto track = sound(kMs, {1, 44100});
  track.sample_rate = 44100;
  auto remux = make({}, {track});
  std::int64_t expected = 0;
  for (std::int64_t ms : {0, 23, 46, 70, 93, 116}) {
    auto got = remux.next(at(ms, ms, 23), 1024);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->dts, expected);
    EXPECT_EQ(got->pts, expected);
    expected += 1024;
  }
}

TEST_P(Dialects, ACounterThatWrappedBeforeTheStartIsUnwrapped) {
  RemuxSettings settings{.start_time_us = 1'000'000, .timestamps_may_jump = true, .wrap_bits = 33};
  auto remux = make(settings, {video()});
  auto before = (std::int64_t{1} << 33) - 9000;  // 0.1 s before zero
  EXPECT_EQ(remux.next(at(before, before), 0), times(-99000, -99000));
}

TEST_P(Dialects, AHoleIsNoFaultOfTheSource) {
  auto remux = make({.start_time_us = 0, .timestamps_may_jump = true}, {video()});
  remux.next(at(0, 0), 0);
  remux.expect_hole();
  EXPECT_EQ(remux.next(at(90000 * 100, 90000 * 100), 0), times(90000 * 100, 90000 * 100));
}

TEST_P(Dialects, ASecondRunIsPlacedWhereItIsTold) {
  auto remux = make({.start_time_us = 0}, {video()});
  remux.next(at(0, 0), 0);
  RemuxSettings second{.dialect = GetParam(), .start_time_us = 5'000'000};
  remux.begin_run(second, {video(kMs)}, 60'000'000);
  EXPECT_EQ(remux.next(at(5000, 5000, 40), 0), times(90000 * 60, 90000 * 60));
}

TEST_P(Dialects, NonsenseDoesNotOverflow) {
  auto remux = make({.start_time_us = INT64_MAX, .timestamps_may_jump = true, .wrap_bits = 33},
                    {video({1, 1}), sound({1, 1})});
  for (auto time : {INT64_MAX, INT64_MIN + 1, std::int64_t{0}}) {
    for (int track : {0, 1}) remux.next(at(time, time, INT64_MAX, track), 1024);
  }
}

INSTANTIATE_TEST_SUITE_P(Remux, Dialects, testing::Values(RemuxDialect::kFfmpeg5, RemuxDialect::kFfmpeg7),
                         [](const auto& each) {
                           return each.param == RemuxDialect::kFfmpeg5 ? "Ffmpeg5" : "Ffmpeg7";
                         });

TEST(RemuxTimestampsTest, TheOlderFfmpegKeepsThePtsOfSoundWithoutDts) {
  RemuxTimestamps five({.dialect = RemuxDialect::kFfmpeg5, .start_time_us = {}}, {sound(kTs, {1, 48000})});
  RemuxTimestamps seven({.dialect = RemuxDialect::kFfmpeg7, .start_time_us = {}}, {sound(kTs, {1, 48000})});
  five.next(at(0, 0, 1920), 1024);
  seven.next(at(0, 0, 1920), 1024);
  EXPECT_EQ(five.next(at(2700, std::nullopt, 1920), 1024), times(1440, 1024, 1024));
  EXPECT_EQ(seven.next(at(2700, std::nullopt, 1920), 1024), times(1024, 1024, 1024));
}

}  // namespace
}  // namespace gopline::media
