#include "server/browser_tracks.h"

#include <gmock/gmock.h>

#include "aggregator/test_stream.h"
#include "common/media/boxes.h"
#include "common/media/segment_reader.h"

namespace gopline::server {
namespace {

using aggregator::testing::cut_clip;
using ::testing::ElementsAre;

Buffer first_segment(const std::string& clip) {
  return cut_clip(clip).segments.front().bytes.flatten();
}

TEST(BrowserTracks, what_all_players_take_stays_as_it_lies) {
  auto segment = first_segment("street.mp4");
  auto tracks = browser_tracks(segment);
  ASSERT_TRUE(tracks);
  EXPECT_TRUE(tracks->all);
  EXPECT_THAT(tracks->track_ids, ElementsAre(1, 2));
  EXPECT_EQ(tracks->init, segment.share(0, tracks->init_size));
  auto fragments = browser_fragments(segment, *tracks);
  ASSERT_TRUE(fragments);
  ASSERT_EQ(fragments->buffers().size(), 1u);
  EXPECT_EQ(fragments->buffers()[0].data(), segment.data() + tracks->init_size);  // not a copy
}

TEST(BrowserTracks, a_track_that_players_do_not_know_is_left_out_of_init_and_fragments) {
  auto clip = cut_clip("door_g711.mkv");
  auto segment = clip.segments.front().bytes.flatten();
  auto tracks = browser_tracks(segment);
  ASSERT_TRUE(tracks);
  EXPECT_FALSE(tracks->all);
  EXPECT_THAT(tracks->track_ids, ElementsAre(1));
  auto init = media::read_init(tracks->init);
  ASSERT_TRUE(init) << init.error().message;
  ASSERT_EQ(init->tracks.size(), 1u);
  EXPECT_EQ(init->tracks[0].track_id, 1);
  auto moov = media::find_box(tracks->init.bytes(), "moov");
  media::BoxWalker walker(media::find_box(moov.payload, "mvex").payload);
  media::BoxView box;
  int trexes = 0;
  while (walker.next(box)) trexes += box.type == "trex";
  EXPECT_EQ(trexes, 1);

  auto fragments = browser_fragments(segment, *tracks);
  ASSERT_TRUE(fragments);
  BufferChain alone{tracks->init};
  alone.append(*fragments);
  auto read = media::read_fragments(alone.flatten(), {clip.tracks[0]});
  ASSERT_TRUE(read) << read.error().message;
  std::size_t packets = 0;
  for (const auto& fragment : *read) packets += fragment.packets.size();
  auto all = media::unpack_segment(segment, "video/mp4", clip.tracks);
  auto of_video = std::ranges::count(*all, 0, &media::Packet::track);
  EXPECT_EQ(packets, static_cast<std::size_t>(of_video));
}

TEST(BrowserTracks, what_is_no_segment_is_corrupt) {
  EXPECT_EQ(browser_tracks(Buffer::copy("hello, this is no box")).error().code, ErrorCode::kCorrupt);
  auto segment = first_segment("door_g711.mkv");
  auto tracks = browser_tracks(segment);
  ASSERT_TRUE(tracks);
  auto cut = browser_fragments(segment.share(0, segment.size() - 1), *tracks);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace gopline::server
