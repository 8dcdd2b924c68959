#include "aggregator/recorder/epoch_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregator/recorder/test_footage.h"
#include "common/base/test_directory.h"

namespace gopline::aggregator {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The rule by which files end, on a clock of the test's own.
class FileEnds : public ::testing::Test {
 protected:
  FileEnds() {
    options_.directory = directory_.path();
    options_.split_every = 10min;
    options_.patience = 30s;
    world_.may_finish = [this]() -> Result<void> {
      if (refused_) return fail(ErrorCode::kConflict, "another recorder's");
      return {};
    };
    world_.finished = [this](const Recording& recording, bool) -> Result<void> {
      ends_.push_back(
          fmt::format("{}-{} {}", recording.first_segment, recording.next_segment, to_string(recording.end)));
      return {};
    };
    world_.wrote = [](const SegmentData&) {};
    world_.find_epoch = [](EpochNumber) -> Result<const record::StartedEpoch*> { return nullptr; };
  }

  // A segment of the clip, said to be captured so long after noon.
  LaneSegment segment(std::int64_t number, Duration at, int sap = 1, std::int64_t discontinuities = 0) {
    const auto& built = clip_.segments[static_cast<std::size_t>(number) % clip_.segments.size()];
    LaneSegment segment;
    auto& headers = segment.data.headers;
    headers.stream = "door";
    headers.epoch = EpochNumber(1);
    headers.segment = SegmentNumber(number);
    headers.time = kNoon + at;
    headers.duration = Rational{2, 1};
    headers.sap = sap;
    headers.discontinuities = discontinuities;
    headers.content_type = built.content_type;
    segment.data.bytes = built.bytes;
    segment.offset = Offset(100 + number);
    return segment;
  }

  EpochRecorder recorder() {
    return {options_, world_, "door", EpochNumber(1), PartitionId(0), EpochProgress{}};
  }

  const ClipSegments clip_ = cut_clip("street.mp4");
  TestDirectory directory_;
  RecordingOptions options_;
  RecordingWorld world_;
  bool refused_ = false;
  std::vector<std::string> ends_;  // of finished files
};

TEST_F(FileEnds, OnlyAtAnAccessPoint) {
  auto recorder = this->recorder();
  ASSERT_TRUE(recorder.take(segment(0, 9min), {}));
  ASSERT_TRUE(recorder.take(segment(1, 10min, 0), {}));
  EXPECT_THAT(ends_, IsEmpty());
  ASSERT_TRUE(recorder.take(segment(2, 10min + 2s), {}));
  EXPECT_THAT(ends_, ElementsAre("0-2 interval"));
  ASSERT_TRUE(recorder.take(segment(3, 10min + 4s, 0, 1), {}));
  EXPECT_THAT(ends_, ElementsAre("0-2 interval"));
  ASSERT_TRUE(recorder.take(segment(4, 10min + 6s, 1, 1), {}));
  EXPECT_THAT(ends_, ElementsAre("0-2 interval", "2-4 discontinuity"));
  EXPECT_EQ(recorder.oldest_offset(), Offset(104));
}

TEST_F(FileEnds, WhenTheStreamIsSilentAndTheIntervalIsOver) {
  auto recorder = this->recorder();
  ASSERT_TRUE(recorder.take(segment(0, 9min), SteadyTime(0s)));
  ASSERT_TRUE(recorder.tick(kNoon + 9min + 40s, SteadyTime(40s)));
  EXPECT_THAT(ends_, IsEmpty()) << "silent, but the interval is not over";
  ASSERT_TRUE(recorder.tick(kNoon + 10min + 20s, SteadyTime(80s)));
  EXPECT_THAT(ends_, IsEmpty()) << "what was captured in it may still be on its way";
  ASSERT_TRUE(recorder.tick(kNoon + 10min + 30s, SteadyTime(90s)));
  EXPECT_THAT(ends_, ElementsAre("0-1 idle"));
}

TEST_F(FileEnds, NotBecauseTheFootageIsOldAsLongAsItComes) {
  auto recorder = this->recorder();
  for (std::int64_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(recorder.take(segment(i, i * 2s), SteadyTime(i * 20s)));
    ASSERT_TRUE(recorder.tick(kNoon + 24h * 365, SteadyTime(i * 20s)));
  }
  EXPECT_THAT(ends_, IsEmpty());
  ASSERT_TRUE(recorder.tick(kNoon + 24h * 365, SteadyTime(110s)));
  EXPECT_THAT(ends_, ElementsAre("0-5 idle"));
}

TEST_F(FileEnds, AlsoWhenTheCamerasClockIsFarAhead) {
  auto recorder = this->recorder();
  ASSERT_TRUE(recorder.take(segment(0, 24h * 365), SteadyTime(0s)));
  ASSERT_TRUE(recorder.tick(kNoon, SteadyTime(10min)));
  EXPECT_THAT(ends_, IsEmpty());
  ASSERT_TRUE(recorder.tick(kNoon, SteadyTime(10min + 30s)));
  EXPECT_THAT(ends_, ElementsAre("0-1 idle"));
}

TEST_F(FileEnds, SoonWhenANewerEpochHasBegun) {
  auto recorder = this->recorder();
  ASSERT_TRUE(recorder.take(segment(0, 1min), SteadyTime(0s)));
  recorder.supersede();
  ASSERT_TRUE(recorder.tick(kNoon + 1min, SteadyTime(29s)));
  EXPECT_THAT(ends_, IsEmpty());
  ASSERT_TRUE(recorder.tick(kNoon + 1min, SteadyTime(30s)));
  EXPECT_THAT(ends_, ElementsAre("0-1 idle"));
}

TEST_F(FileEnds, WithOtherCodecParameters) {
  auto other = cut_clip("cup.mp4");
  auto recorder = this->recorder();
  ASSERT_TRUE(recorder.take(segment(0, 0s), {}));
  auto changed = segment(1, 2s);
  changed.data.bytes = other.segments[0].bytes;
  ASSERT_TRUE(recorder.take(std::move(changed), {}));
  EXPECT_THAT(ends_, ElementsAre("0-1 parameters"));
}

TEST_F(FileEnds, WhatCannotBeReadIsAGapAndTheRestGoesOn) {
  auto recorder = this->recorder();
  ASSERT_TRUE(recorder.take(segment(0, 0s), {}));
  auto broken = segment(1, 2s);
  broken.data.bytes = BufferChain(clip_.segments[1].bytes.flatten().share(0, 2000));
  ASSERT_TRUE(recorder.take(std::move(broken), {}));
  ASSERT_TRUE(recorder.take(segment(2, 4s), {}));
  ASSERT_TRUE(recorder.finish(FileEnd::kStopped));
  EXPECT_THAT(ends_.back(), "2-3 stopped");
  EXPECT_THAT(ends_.front(), ::testing::StartsWith("0-1"));
}

TEST_F(FileEnds, OfOneThatIsAnothersNowNothingIsLeft) {
  auto recorder = std::make_unique<EpochRecorder>(options_, world_, "door", EpochNumber(1), PartitionId(0),
                                                  EpochProgress{});
  ASSERT_TRUE(recorder->take(segment(0, 0s), {}));
  refused_ = true;
  EXPECT_EQ(recorder->finish(FileEnd::kStopped).error().code, ErrorCode::kConflict);
  recorder.reset();
  EXPECT_TRUE(std::filesystem::is_empty(directory_ / "door"));
}

}  // namespace
}  // namespace gopline::aggregator
