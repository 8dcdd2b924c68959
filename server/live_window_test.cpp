#include "server/live_window.h"

#include <gmock/gmock.h>

#include "aggregator/test_stream.h"
#include "server/hls_playlist.h"
#include "server/segment_store.h"

namespace gopline::server {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

// A stream that was written in parts, on a log in memory.
struct LiveWindows : ::testing::Test {
  const aggregator::testing::ClipSegments clip = aggregator::testing::cut_clip("street_av1.mp4", 5);
  aggregator::testing::TestStream stream;
  LiveWindow window{aggregator::testing::kStream};

  void write(std::size_t fragments_per_chunk) {
    aggregator::testing::EpochOptions options;
    options.fragments_per_chunk = fragments_per_chunk;
    stream.write_epoch(clip, options);
  }
  // So many records from `from` on; all: -1.
  void read(std::int64_t from, std::int64_t count = -1) {
    auto reader = *stream.log.make_reader({});
    ASSERT_TRUE(reader->assign({{stream.where, StartPosition::at(Offset(from))}}));
    auto end = stream.log.offsets(stream.where)->end;
    while (*reader->position(stream.where) < end) {
      auto records = reader->poll(0s);
      ASSERT_TRUE(records);
      for (const auto& stored : *records) {
        if (count-- == 0) return;
        window.take(incoming_from(stored), SteadyTime{});
      }
    }
  }
  static std::size_t bytes_of(const LiveSegment& segment) {
    std::size_t sum = 0;
    for (const auto& part : segment.parts) sum += part.fragments.size();
    return sum;
  }
};

TEST_F(LiveWindows, has_every_part_of_a_segment) {
  write(1);
  read(0);
  ASSERT_EQ(window.segments().size(), clip.segments.size());
  for (std::size_t i = 0; i < clip.segments.size(); ++i) {
    const auto& segment = window.segments()[i];
    EXPECT_TRUE(segment.is_complete);
    EXPECT_GT(segment.parts.size(), 1u);
    EXPECT_TRUE(segment.parts.front().is_independent);
    EXPECT_EQ(segment.duration(), 2s);
    auto init = (*media::read_init(clip.segments[i].bytes.flatten())).bytes;
    EXPECT_EQ(bytes_of(segment), clip.segments[i].bytes.size() - init.size());
    EXPECT_EQ(segment.init_xxh3, xxh3_hex(init.bytes()));
  }
}

TEST_F(LiveWindows, tells_of_a_segment_that_is_still_being_written) {
  write(1);
  read(0, 3);  // the epoch and two chunks
  ASSERT_EQ(window.segments().size(), 1u);
  EXPECT_FALSE(window.segments()[0].is_complete);
  EXPECT_EQ(window.segments()[0].parts.size(), 2u);
}

TEST_F(LiveWindows, begins_with_the_segment_behind_the_one_that_it_came_into) {
  write(1);
  window.know(EpochNumber(0), clip.tracks);
  read(2);
  ASSERT_EQ(window.segments().size(), clip.segments.size() - 1);
  EXPECT_EQ(window.segments()[0].headers.segment, SegmentNumber(1));
}

TEST_F(LiveWindows, whole_segments_have_no_parts) {
  write(0);
  read(0);
  EXPECT_TRUE(window.segments().empty());
}

// What a playlist makes of them.
struct LowLatency : LiveWindows {
  Playlist playlist;

  void SetUp() override { write(1); }
  void add_item(std::int64_t segment) {
    PlaylistItem item;
    item.ordinal = segment;
    item.duration = 2s;
    item.time = kNoon + segment * 2s;
    item.uri = fmt::format("segments/0-{}.m4s", segment);
    item.init_uri = "init/" + window.segments()[0].init_xxh3 + ".mp4";
    playlist.items.push_back(std::move(item));
  }
  std::string text() {
    add_live_segments(playlist, {window.segments().begin(), window.segments().end()});
    return render(playlist);
  }
};

TEST_F(LowLatency, the_open_segment_has_parts_and_a_hint) {
  read(0, 3);
  EXPECT_THAT(text(), Not(HasSubstr("PART")));  // nothing that they follow on
  read(0);
  auto parts = std::ssize(window.segments()[0].parts);
  window = LiveWindow(aggregator::testing::kStream);
  read(0, 1 + parts + 2);  // two parts of the second segment
  add_item(0);
  auto out = text();
  EXPECT_THAT(out, HasSubstr("#EXT-X-VERSION:9\n"));
  EXPECT_THAT(out, HasSubstr("CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK="));
  EXPECT_THAT(out, HasSubstr("URI=\"parts/0-0-0.m4s\",INDEPENDENT=YES\n"));
  EXPECT_THAT(out, HasSubstr("segments/0-0.m4s\n#EXT-X-PART:"));
  EXPECT_THAT(out,
              HasSubstr("URI=\"parts/0-1-1.m4s\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"parts/0-1-2.m4s\"\n"));
  EXPECT_THAT(out, Not(HasSubstr("segments/0-1.m4s")));
}

TEST_F(LowLatency, a_segment_that_the_index_does_not_tell_yet_is_there) {
  read(0);
  add_item(0);
  auto out = text();
  EXPECT_THAT(out, HasSubstr("segments/0-3.m4s\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"parts/0-4-0.m4s\"\n"));
}

TEST_F(LowLatency, what_a_player_has_already_is_skipped) {
  read(0);
  for (int i = 0; i < 4; ++i) add_item(i);
  EXPECT_EQ(skippable_items(playlist), 0u);
  for (int i = 4; i < 9; ++i) add_item(i);
  EXPECT_EQ(skippable_items(playlist), 3u);  // older than 6 times 2 s
  playlist.skipped = 3;
  auto out = text();
  EXPECT_THAT(out, HasSubstr("#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n"));
  EXPECT_THAT(out, Not(HasSubstr("segments/0-2.m4s")));
  EXPECT_THAT(out, HasSubstr("segments/0-3.m4s"));
}

TEST(PartName, is_read_as_it_is_written) {
  auto name = parse_part_name("12-5-2");
  ASSERT_TRUE(name);
  EXPECT_EQ(part_name(*name), "12-5-2");
  for (auto text : {"12-5", "12-5-", "-5-2", "12-5--2", "a-b-c", ""})
    EXPECT_FALSE(parse_part_name(text)) << text;
}

}  // namespace
}  // namespace gopline::server
