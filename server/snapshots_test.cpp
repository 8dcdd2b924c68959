#include "server/snapshots.h"

#include <gmock/gmock.h>

#include "aggregator/test_stream.h"
#include "server/test_blobs.h"

// Which picture, out of a log in memory.
namespace gopline::server {
namespace {

using namespace std::chrono_literals;
using aggregator::testing::ClipSegments;
using aggregator::testing::cut_clip;
using aggregator::testing::EpochOptions;
using aggregator::testing::kStream;
using aggregator::testing::TestStream;

// street.mp4: 10 pictures a second, a key frame every 2 s, 20 s.
struct SnapshotsTest : ::testing::Test {
  const ClipSegments clip = cut_clip("street.mp4");
  TestStream stream;
  SystemClock clock;
  NoBlobs blobs;
  std::unique_ptr<StreamCatalog> catalog;
  std::unique_ptr<EntryCache> entries;
  std::unique_ptr<SegmentStore> segments;
  std::unique_ptr<Snapshots> snapshots;

  void open(const EpochOptions& options = {}) {
    stream.write_epoch(clip, options);
    catalog = *StreamCatalog::open(stream.log, clock, stream.topics);
    entries = std::make_unique<EntryCache>(stream.log, stream.topics.index);
    segments = std::make_unique<SegmentStore>(stream.log, stream.topics.segments, blobs, 64 << 20);
    snapshots = std::make_unique<Snapshots>(*catalog, *entries, *segments);
  }
  Result<SnapshotPtr> at(std::optional<Duration> since_noon, int width = 64) {
    auto time = since_noon ? std::optional(kNoon + *since_noon) : std::nullopt;
    return snapshots->get(kStream, time, width, {});
  }
};

TEST_F(SnapshotsTest, the_picture_that_was_on_the_screen) {
  open();
  for (auto asked : {0ms, 50ms, 100ms, 1990ms, 2000ms, 5249ms, 11000ms}) {
    auto picture = at(asked);
    ASSERT_TRUE(picture) << picture.error().message;
    auto since = std::chrono::floor<std::chrono::milliseconds>((*picture)->time - kNoon + 500us);
    EXPECT_EQ(since, asked / 100 * 100) << asked;
  }
}

TEST_F(SnapshotsTest, without_a_time_the_newest_key_frame) {
  open();
  auto picture = at(std::nullopt);
  ASSERT_TRUE(picture) << picture.error().message;
  EXPECT_EQ((*picture)->time - kNoon, 18s);
}

TEST_F(SnapshotsTest, are_made_once) {
  open();
  auto first = *at(5s);
  EXPECT_EQ(*at(5s), first);
  auto smaller = *at(5s, 32);
  EXPECT_NE(smaller, first);
  EXPECT_NE(smaller->tag, first->tag);
  EXPECT_EQ((*at(5010ms))->tag, first->tag);  // the same picture
}

TEST_F(SnapshotsTest, what_is_not_there_says_so) {
  open();
  EXPECT_EQ(at(-1h).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(at(1h).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(snapshots->get("none", std::nullopt, 0, {}).error().code, ErrorCode::kNotFound);
}

TEST_F(SnapshotsTest, of_an_epoch_whose_beginning_is_lost_there_are_none) {
  EpochOptions options;
  options.started = false;
  open(options);
  EXPECT_EQ(at(5s).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace gopline::server
