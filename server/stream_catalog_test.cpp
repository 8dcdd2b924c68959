#include "server/stream_catalog.h"

#include <future>

#include <gmock/gmock.h>

#include "aggregator/test_stream.h"
#include "server/entry_cache.h"
#include "server/segment_store.h"
#include "server/test_blobs.h"

// The catalogue, the entries and the segments behind it, on a log in memory.
namespace gopline::server {
namespace {

using aggregator::testing::ClipSegments;
using aggregator::testing::cut_clip;
using aggregator::testing::EpochOptions;
using aggregator::testing::kStream;
using aggregator::testing::TestStream;

struct Catalog : testing::Test {
  const ClipSegments clip = cut_clip("street_av1.mp4");
  TestStream stream;
  SystemClock clock;
  NoBlobs blobs;
  std::unique_ptr<StreamCatalog> catalog;

  void open() {
    auto opened = StreamCatalog::open(stream.log, clock, stream.topics);
    ASSERT_TRUE(opened) << opened.error().message;
    catalog = std::move(*opened);
  }
  std::shared_ptr<const SegmentRows> segments(std::optional<Timestamp> since = {}) {
    auto found = catalog->segments(kStream, since, {});
    EXPECT_TRUE(found) << found.error().message;
    return *found;
  }
  // The entries of all segments.
  std::vector<EntryPtr> entries() {
    EntryCache cache(stream.log, stream.topics.index);
    return *cache.get(PartitionId(0), segments()->between({}, {}), {});
  }
  // Returns once something that fulfils `condition` is told.
  void wait_until(const std::function<bool()>& condition) {
    std::promise<void> met;
    bool done = false;
    auto subscription = catalog->subscribe([&](const std::set<std::string>&) {
      if (!done && condition()) {
        done = true;
        met.set_value();
      }
    });
    if (!condition()) met.get_future().wait();
  }
};

TEST_F(Catalog, knows_what_was_there_before) {
  stream.write_epoch(clip);
  open();
  ASSERT_EQ(catalog->streams().size(), 1u);
  EXPECT_EQ(catalog->streams()[0].state.stream, kStream);
  EXPECT_EQ(segments()->size(), clip.segments.size());
  EXPECT_EQ(catalog->find("window").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(catalog->segments("window", {}, {}).error().code, ErrorCode::kNotFound);
}

TEST_F(Catalog, segments_grow_with_the_log) {
  EpochOptions options;
  options.segments = 1;
  options.ended = false;
  auto epoch = stream.write_epoch(clip, options);
  open();
  auto rows = segments();
  EXPECT_EQ(rows->size(), 1u);
  options.segments = 3;
  stream.go_on(clip, epoch, options, 1);
  wait_until([&] { return rows->size() == 3; });
  EXPECT_EQ(rows->newest(1)[0].segment, SegmentNumber(2));
}

TEST_F(Catalog, a_stream_that_begins_later_appears) {
  open();
  EXPECT_TRUE(catalog->streams().empty());
  stream.write_epoch(clip);
  // Its record is told before its state is read, so it is asked for again with every look.
  while (catalog->streams().empty()) std::this_thread::yield();
  while (segments()->size() < clip.segments.size()) std::this_thread::yield();
}

TEST_F(Catalog, a_namespace_without_topics_has_no_streams) {
  MemoryLog log;
  auto opened = StreamCatalog::open(log, clock, stream.topics);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE((*opened)->streams().empty());
}

TEST_F(Catalog, what_the_index_does_not_keep_is_forgotten) {
  stream.write_epoch(clip);
  open();
  EXPECT_EQ(segments()->size(), clip.segments.size());
  stream.log.trim({stream.topics.index, PartitionId(0)}, Offset(2));
  EXPECT_EQ(segments()->size(), clip.segments.size() - 2);
}

TEST_F(Catalog, a_log_that_cannot_be_read_is_told_until_it_can) {
  stream.write_epoch(clip);
  open();
  auto well = catalog->health();
  EXPECT_TRUE(well.is_read);
  EXPECT_EQ(well.behind, 0);
  EXPECT_EQ(well.since, std::nullopt);
  stream.log.fail_next_polls(1, {ErrorCode::kUnavailable, "the broker is away"});
  while (!catalog->health().since) std::this_thread::yield();
  auto away = catalog->health();
  EXPECT_EQ(away.problem, away.is_read ? "" : "the broker is away");
  while (!catalog->health().is_read) std::this_thread::yield();
  EXPECT_EQ(catalog->health().problem, "");
}

TEST_F(Catalog, entries_are_read_in_the_order_asked_for_and_kept) {
  stream.write_epoch(clip);
  open();
  EntryCache cache(stream.log, stream.topics.index);
  auto rows = segments()->between({}, {});
  std::reverse(rows.begin(), rows.end());
  auto found = cache.get(PartitionId(0), rows, {});
  ASSERT_TRUE(found);
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ((*found)[i]->segment, rows[i].segment);
  catalog.reset();  // whose reader would take the failure
  stream.log.fail_next_polls(1, {ErrorCode::kUnavailable, "away"});
  auto again = cache.get(PartitionId(0), rows, {});
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)[0], (*found)[0]);  // the same object: nothing was read
}

TEST_F(Catalog, an_entry_that_is_damaged_is_none) {
  stream.write_epoch(clip);
  stream.log.flip_byte({stream.topics.index, PartitionId(0)}, Offset(1), 10);
  open();
  auto found = entries();
  EXPECT_NE(found[0], nullptr);
  EXPECT_EQ(found[1], nullptr);
}

struct Segments : Catalog {
  std::unique_ptr<SegmentStore> store;

  void SetUp() override { store = make_store(64 << 20); }
  std::unique_ptr<SegmentStore> make_store(std::size_t bytes) {
    return std::make_unique<SegmentStore>(stream.log, stream.topics.segments, blobs, bytes);
  }
};

TEST_F(Segments, come_whole_from_any_number_of_chunks) {
  EpochOptions options;
  options.chunk_bytes = 5000;
  stream.write_epoch(clip, options);
  open();
  auto all = entries();
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto segment = store->get(*all[i], {});
    ASSERT_TRUE(segment) << segment.error().message;
    EXPECT_EQ((*segment)->bytes, clip.segments[i].bytes.flatten());
  }
}

TEST_F(Segments, are_read_once_for_all_who_ask) {
  stream.write_epoch(clip);
  open();
  auto entry = entries()[0];
  std::vector<std::future<Result<SegmentPtr>>> askers;
  for (int i = 0; i < 8; ++i) {
    askers.push_back(std::async(std::launch::async, [&] { return store->get(*entry, {}); }));
  }
  auto first = askers[0].get();
  ASSERT_TRUE(first);
  for (std::size_t i = 1; i < askers.size(); ++i) EXPECT_EQ(*askers[i].get(), *first);
}

TEST_F(Segments, beyond_the_bound_the_one_used_longest_ago_is_forgotten) {
  stream.write_epoch(clip);
  open();
  auto all = entries();
  store = make_store(clip.segments[0].bytes.size() + clip.segments[1].bytes.size() + 2);
  auto first = store->get(*all[0], {}), second = store->get(*all[1], {});
  EXPECT_EQ(*store->get(*all[0], {}), *first);
  ASSERT_TRUE(store->get(*all[2], {}));
  EXPECT_NE(*store->get(*all[1], {}), *second);
}

TEST_F(Segments, that_are_damaged_or_gone_say_so_and_are_tried_again) {
  stream.write_epoch(clip);
  open();
  auto all = entries();
  stream.log.flip_byte(stream.where, all[0]->offsets[0], 3000);
  EXPECT_EQ(store->get(*all[0], {}).error().code, ErrorCode::kCorrupt);
  stream.log.drop_record(stream.where, all[1]->offsets[0]);
  EXPECT_EQ(store->get(*all[1], {}).error().code, ErrorCode::kNotFound);
  catalog.reset();  // whose reader would take the failure
  stream.log.fail_next_polls(1, {ErrorCode::kUnavailable, "away"});
  EXPECT_EQ(store->get(*all[2], {}).error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(store->get(*all[2], {}));
}

TEST_F(Segments, in_a_form_that_no_browser_plays_have_nothing_for_one) {
  auto avi = cut_clip("street.avi");
  stream.write_epoch(avi);
  open();
  auto segment = store->get(*entries()[0], {});
  ASSERT_TRUE(segment) << segment.error().message;
  EXPECT_TRUE((*segment)->is_nut);
  EXPECT_EQ((*segment)->bytes, avi.segments.front().bytes.flatten());
  EXPECT_TRUE((*segment)->tracks.track_ids.empty());
  EXPECT_TRUE((*segment)->fragments.empty());
}

}  // namespace
}  // namespace gopline::server
