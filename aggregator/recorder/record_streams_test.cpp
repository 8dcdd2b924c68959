#include "aggregator/recorder/record_streams.h"

#include <filesystem>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "aggregator/recorder/test_footage.h"
#include "common/base/test_directory.h"
#include "common/base/text.h"
#include "common/log/memory_log.h"

namespace gopline::aggregator {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using Json = nlohmann::json;

const ClipSegments& street() {  // 10 segments of 2 s, H.264 and AAC
  static const auto clip = cut_clip("street.mp4");
  return clip;
}

class RecordStreams : public ::testing::Test {
 protected:
  RecordOptions options() {
    RecordOptions options;
    options.patterns = {"*"};
    options.recording.directory = directory_.path();
    options.recording.split_every = 6s;
    options.group = "g";
    options.until_end = true;
    options.retry_after = Duration(0);
    return options;
  }
  RecordReport record(const RecordOptions& options, const RecordEvents& events = {}) {
    auto report = record_streams(log_, clock_, options, events, {});
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(RecordReport{});
  }
  RecordReport record() { return record(options()); }

  // Two streams, and a file where one's folder should be.
  void write_good_and_bad() {
    auto bad = footage_.begin("bad", street());
    auto good = footage_.begin("good", street(), kNoon + 1s);
    for (std::int64_t i = 0; i < 10; ++i) {
      footage_.write(bad, i);
      footage_.write(good, i);
    }
    std::ofstream(directory_ / "bad") << "a file where the stream's folder should be";
  }

  std::vector<std::string> names(const std::string& stream) {
    std::vector<std::string> names;
    for (const auto& path : recordings_of(directory_.path(), stream))
      names.push_back(std::filesystem::path(path).filename());
    return names;
  }
  std::vector<Json> jsons(const std::string& stream) {
    std::vector<Json> all;
    for (const auto& path : recordings_of(directory_.path(), stream))
      all.push_back(Json::parse(json_beside(path)));
    return all;
  }
  TrackPackets recorded_of(const std::string& stream) { return recorded(directory_.path(), stream); }
  TrackPackets all_of(const ClipSegments& clip) { return digests_of(clip.packets); }
  // Of these segments of the clip.
  TrackPackets of_segments(const ClipSegments& clip, const std::vector<std::size_t>& numbers) {
    std::vector<media::Packet> packets;
    for (auto number : numbers)
      packets.insert(packets.end(), clip.packets_of[number].begin(), clip.packets_of[number].end());
    return digests_of(packets);
  }

  TestDirectory directory_;
  MemoryLog log_{{}};
  Footage footage_{log_};
  SystemClock clock_;
};

TEST_F(RecordStreams, FilesBeginAtFullIntervalsOfCaptureTime) {
  auto epoch = footage_.begin("site/door", street(), kNoon + 4s);
  footage_.write_all(epoch);
  auto report = record();
  EXPECT_TRUE(report.whole());
  EXPECT_EQ(report.streams["site/door"].files, 4);
  EXPECT_EQ(report.streams["site/door"].segments, 10);
  EXPECT_THAT(names("site/door"),
              ElementsAre("2026-11-22T12-00-04.000Z_0-0.mp4", "2026-11-22T12-00-06.000Z_0-1.mp4",
                          "2026-11-22T12-00-12.000Z_0-4.mp4", "2026-11-22T12-00-18.000Z_0-7.mp4"));
  EXPECT_EQ(recorded_of("site/door"), all_of(street()));
  auto described = jsons("site/door");
  EXPECT_EQ(described[1]["stream"], "site/door");
  EXPECT_EQ(described[1]["first_segment"], 1);
  EXPECT_EQ(described[1]["next_segment"], 4);
  EXPECT_EQ(described[1]["ended"], "interval");
  EXPECT_EQ(described[3]["ended"], "epoch-ended");
  EXPECT_EQ(described[1]["from"], "2026-11-22T12:00:06.000000Z");
  EXPECT_EQ(described[1]["to"], "2026-11-22T12:00:12.000000Z");
  EXPECT_EQ(described[1]["bytes"],
            std::filesystem::file_size(recordings_of(directory_.path(), "site/door")[1]));
}

// Every packet of a file is as much earlier than the source's as the first is.
TEST_F(RecordStreams, EveryFileBeginsAtZeroWithItsTracksInStep) {
  auto epoch = footage_.begin("door", street());
  footage_.write_all(epoch);
  record();
  std::map<int, std::vector<std::int64_t>> source;  // dts in microseconds, by track
  auto dts_us = [&](const media::Packet& packet) {
    return rescale(*packet.dts, street().tracks[static_cast<std::size_t>(packet.track)].time_base,
                   {1, 1'000'000});
  };
  for (const auto& packet : street().packets) source[packet.track].push_back(dts_us(packet));
  std::map<int, std::size_t> at;
  for (const auto& path : recordings_of(directory_.path(), "door")) {
    std::optional<std::int64_t> shift;
    auto earliest = std::numeric_limits<std::int64_t>::max();
    for (const auto& packet : packets_in(path)) {
      auto moved = source[packet.track][at[packet.track]++] - dts_us(packet);
      shift = shift.value_or(moved);
      earliest = std::min(earliest, dts_us(packet));
      EXPECT_NEAR(static_cast<double>(moved), static_cast<double>(*shift), 100.0) << path;
    }
    EXPECT_GE(earliest, 0) << path;
    EXPECT_LT(earliest, 100) << path;
  }
  EXPECT_EQ(at[0], source[0].size());
}

TEST_F(RecordStreams, MatroskaHasTheSamePackets) {
  auto epoch = footage_.begin("door", street());
  footage_.write_all(epoch);
  auto wanted = options();
  wanted.recording.container = "matroska";
  record(wanted);
  EXPECT_THAT(names("door"), SizeIs(4));
  EXPECT_TRUE(names("door")[0].ends_with(".mkv"));
  EXPECT_EQ(recorded_of("door"), all_of(street()));
}

TEST_F(RecordStreams, WhatFitsNoMp4IsMatroska) {
  auto clip = cut_clip("street.avi");
  auto epoch = footage_.begin("old", clip);
  footage_.write_all(epoch);
  EXPECT_TRUE(record().whole());
  EXPECT_TRUE(names("old")[0].ends_with(".mkv"));
  EXPECT_EQ(recorded_of("old"), all_of(clip));
}

TEST_F(RecordStreams, OnlyStreamsThatMatchAPattern) {
  for (const auto* stream : {"site-7/a", "site-7/b", "yard", "gate"}) {
    auto epoch = footage_.begin(stream, street());
    footage_.write(epoch, 0);
    footage_.end(epoch, 1);
  }
  auto wanted = options();
  wanted.patterns = {"site-7/*", "gate"};
  auto report = record(wanted);
  EXPECT_THAT(report.streams, SizeIs(3));
  EXPECT_THAT(names("yard"), SizeIs(0));
  EXPECT_THAT(names("site-7/b"), SizeIs(1));
}

TEST_F(RecordStreams, AGapEndsAFileAndIsToldBesideTheNext) {
  auto epoch = footage_.begin("door", street());
  footage_.write(epoch, 0);
  footage_.gap(epoch, record::GapCause::kSourceOutage, kNoon + 2s, kNoon + 3s);
  footage_.gap(epoch, record::GapCause::kOverBudget, kNoon + 3s, kNoon + 4s);
  footage_.write(epoch, 1);
  footage_.write(epoch, 2);
  auto report = record();
  EXPECT_FALSE(report.whole());
  EXPECT_EQ(report.streams["door"].gaps, 2);
  auto described = jsons("door");
  ASSERT_THAT(described, SizeIs(2));
  EXPECT_EQ(described[0]["ended"], "gap");
  EXPECT_EQ(described[0]["gaps"], Json::array());
  EXPECT_EQ(described[1]["first_segment"], 1);
  ASSERT_THAT(described[1]["gaps"], SizeIs(2));
  EXPECT_EQ(described[1]["gaps"][0]["cause"], "source-outage");
  EXPECT_EQ(described[1]["gaps"][0]["from"], "2026-11-22T12:00:02.000000Z");
  EXPECT_EQ(described[1]["gaps"][1]["cause"], "over-budget");
  EXPECT_EQ(recorded_of("door"), of_segments(street(), {0, 1, 2}));
}

TEST_F(RecordStreams, ASegmentThatIsMissingOrDamagedIsAGapOfItsOwnTime) {
  auto epoch = footage_.begin("door", street());
  for (std::int64_t i = 0; i < 6; ++i) {
    if (i != 1) footage_.write(epoch, i, {}, i == 3);
  }
  footage_.end(epoch, 6);
  EXPECT_EQ(record().streams["door"].gaps, 2);
  auto described = jsons("door");
  ASSERT_THAT(described, SizeIs(3));
  auto missing = described[1]["gaps"][0], damaged = described[2]["gaps"][0];
  EXPECT_EQ(missing["cause"], "lost");
  EXPECT_EQ(missing["first_segment"], 1);
  EXPECT_EQ(missing["from"], "2026-11-22T12:00:02.000000Z");
  EXPECT_EQ(missing["to"], "2026-11-22T12:00:04.000000Z");
  EXPECT_EQ(damaged["cause"], "corrupt");
  EXPECT_EQ(damaged["first_segment"], 3);
  EXPECT_EQ(recorded_of("door"), of_segments(street(), {0, 2, 4, 5}));
}

TEST_F(RecordStreams, GapsBehindWhichThereIsNoFootageAreToldAlone) {
  auto epoch = footage_.begin("door", street());
  footage_.write(epoch, 0);
  footage_.gap(epoch, record::GapCause::kSourceOutage, kNoon + 2s, kNoon + 9s);
  footage_.end(epoch, 1);
  EXPECT_EQ(record().streams["door"].gaps, 1);
  auto path = directory_ / "door/2026-11-22T12-00-02.000Z_0-1-gap.json";
  ASSERT_TRUE(std::filesystem::exists(path));
  EXPECT_EQ(record().streams.size(), 0u) << "it is told once";
}

TEST_F(RecordStreams, EpochsHaveFilesOfTheirOwnAndLateOnesAreRecordedToo) {
  auto first = footage_.begin("door", street());
  footage_.write(first, 0);
  auto second = footage_.begin("door", street(), kNoon + 60s);
  auto spilled = footage_.begin("door", street(), kNoon + 30s, true);
  footage_.write(second, 0);
  footage_.write(spilled, 0);
  footage_.write(second, 1);
  footage_.write(spilled, 1);
  record();
  EXPECT_THAT(names("door"), SizeIs(3));
  auto expected = of_segments(street(), {0, 0, 1, 0, 1});
  EXPECT_EQ(recorded_of("door"), expected);
}

TEST_F(RecordStreams, OfAnUnfinishedSegmentWhatCanBePlayedIsRecorded) {
  auto clip = cut_clip("street.mp4", 4);
  auto epoch = footage_.begin("door", clip);
  footage_.write(epoch, 0);
  footage_.write(epoch, 1, 4);  // 4 of its 8 fragments
  auto next = footage_.begin("door", clip, kNoon + 60s);
  footage_.write(next, 0);
  EXPECT_EQ(record().streams["door"].gaps, 1);
  auto described = jsons("door");
  ASSERT_THAT(described, SizeIs(2));
  EXPECT_EQ(described[0]["next_segment"], 2);
  auto packets = packets_in(recordings_of(directory_.path(), "door")[0]);
  EXPECT_GT(packets.size(), clip.packets_of[0].size());
  EXPECT_LT(packets.size(), clip.packets_of[0].size() + clip.packets_of[1].size());
}

TEST_F(RecordStreams, TheNextRunGoesOnWhereTheLastStopped) {
  auto epoch = footage_.begin("door", street());
  for (std::int64_t i = 0; i < 5; ++i) footage_.write(epoch, i);
  EXPECT_EQ(record().streams["door"].segments, 5);
  EXPECT_EQ(record().streams.size(), 0u);
  for (std::int64_t i = 5; i < 10; ++i) footage_.write(epoch, i);
  EXPECT_EQ(record().streams["door"].segments, 5);
  EXPECT_EQ(recorded_of("door"), all_of(street()));
}

TEST_F(RecordStreams, AnotherGroupRecordsAllOfIt) {
  auto epoch = footage_.begin("door", street());
  footage_.write_all(epoch);
  record();
  TestDirectory copy;
  auto wanted = options();
  wanted.group = "second";
  wanted.recording.directory = copy.path();
  record(wanted);
  EXPECT_EQ(recorded(copy.path(), "door"), all_of(street()));
}

TEST_F(RecordStreams, AStreamThatCannotBeWrittenStopsNoOtherAndComesLater) {
  write_good_and_bad();
  auto report = record();
  EXPECT_TRUE(report.failed());
  EXPECT_NE(report.streams["bad"].failure, "");
  EXPECT_EQ(report.streams["bad"].files, 0);
  EXPECT_EQ(recorded_of("good"), all_of(street()));

  std::filesystem::remove(directory_ / "bad");
  EXPECT_FALSE(record().failed());
  EXPECT_EQ(recorded_of("bad"), all_of(street()));
  EXPECT_EQ(recorded_of("good"), all_of(street()));
}

TEST_F(RecordStreams, AFailureThatPassesIsRetriedInTheSameRun) {
  write_good_and_bad();
  metrics::Registry registry;
  RecorderMetrics metrics(registry);
  auto good = metrics.stream("good"), bad = metrics.stream("bad");  // series go with the last who counts
  auto counted = options();
  counted.metrics = &metrics;
  RecordEvents events;
  std::string counted_in_between;
  events.on_recording = [&](const Recording&) {
    if (!std::filesystem::is_regular_file(directory_ / "bad")) return;
    std::filesystem::remove(directory_ / "bad");
    counted_in_between = registry.to_text();
  };
  std::vector<std::string> failures;  // "": it goes on
  events.on_failure = [&](const std::string& stream, const std::string& why) {
    EXPECT_EQ(stream, "bad");
    failures.push_back(why);
  };
  EXPECT_FALSE(record(counted, events).failed());
  EXPECT_EQ(recorded_of("bad"), all_of(street()));
  EXPECT_EQ(recorded_of("good"), all_of(street()));
  EXPECT_THAT(failures, ElementsAre(HasSubstr("bad"), ""));
  EXPECT_THAT(counted_in_between, HasSubstr("gopline_recorder_behind{stream=\"bad\"} 1\n"));
  auto text = registry.to_text();
  auto segments = std::to_string(street().segments.size());
  EXPECT_THAT(text, HasSubstr("gopline_recorder_behind{stream=\"bad\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("gopline_recorder_segments_total{stream=\"good\"} " + segments + "\n"));
  EXPECT_THAT(
      text, HasSubstr("gopline_recorder_capture_to_file_seconds_count{stream=\"good\"} " + segments + "\n"));
}

TEST_F(RecordStreams, RetentionIsAppliedAtTheEndToo) {
  auto epoch = footage_.begin("door", street());
  footage_.write_all(epoch);
  auto wanted = options();
  wanted.limits.bytes = 700'000;
  auto report = record(wanted);
  EXPECT_GT(report.removed.files, 0);
  EXPECT_EQ(names("door").size(), static_cast<std::size_t>(4 - report.removed.files));
}

TEST_F(RecordStreams, ALogWithoutStreamsSaysSo) {
  MemoryLog empty{{}};
  auto report = record_streams(empty, clock_, options(), {}, {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace gopline::aggregator
