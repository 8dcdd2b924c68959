#include "server/hls_playlist.h"

#include <gmock/gmock.h>

#include "server/test_rows.h"

namespace gopline::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct HlsPlaylist : testing::Test {
  std::vector<SegmentRow> rows;
  std::vector<EntryPtr> entries;
  Offset kept{0};

  record::IndexEntry& add(const SegmentRow& row, std::int64_t discontinuities = 0) {
    auto made = entry(row, discontinuities);
    rows.push_back(row);
    entries.push_back(made);
    return *made;
  }
  Playlist live() const {
    Playlist playlist;
    playlist.items = playlist_items(rows, entries, kept, false);
    return playlist;
  }
  std::string text() const { return render(live()); }
  std::string vod_text() const {
    Playlist playlist;
    playlist.items = playlist_items(rows, entries, kept, true);
    playlist.is_vod = playlist.has_ended = true;
    return render(playlist);
  }
};

TEST_F(HlsPlaylist, is_what_the_records_say) {
  add(row(3, 7, 0s), 2);
  add(row(3, 8, 2s), 2);
  EXPECT_EQ(text(),
            "#EXTM3U\n#EXT-X-VERSION:8\n#EXT-X-TARGETDURATION:2\n#EXT-X-INDEPENDENT-SEGMENTS\n"
            "#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n"
            "#EXT-X-MAP:URI=\"init/1111111111111111.mp4\"\n"
            "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000000Z\n"
            "#EXTINF:2.000000,\nsegments/3-7.m4s\n"
            "#EXTINF:2.000000,\nsegments/3-8.m4s\n");
}

TEST_F(HlsPlaylist, of_recorded_footage_ends_and_counts_from_zero) {
  add(row(3, 7, 0s));
  EXPECT_THAT(vod_text(), AllOf(HasSubstr("#EXT-X-PLAYLIST-TYPE:VOD\n"),
                                HasSubstr("#EXT-X-MEDIA-SEQUENCE:0\n"), HasSubstr("#EXT-X-ENDLIST\n")));
}

TEST_F(HlsPlaylist, what_lies_in_a_store_is_a_range_of_the_stored_segment) {
  add(row(3, 7, 0s)).dataref = "s3://bucket/blob";
  add(row(3, 8, 2s));  // in the log
  auto& chunked = add(row(3, 9, 4s));
  chunked.dataref = "s3://bucket/other";
  chunked.offsets = {Offset(9), Offset(10)};
  auto playlist = live();
  send_to_stores(playlist.items, entries, [](const auto&) { return 300; });
  EXPECT_THAT(render(playlist), HasSubstr("#EXTINF:2.000000,\n#EXT-X-BYTERANGE:700@300\nstored/3-7.mp4\n"
                                          "#EXTINF:2.000000,\nsegments/3-8.m4s\n"
                                          "#EXTINF:2.000000,\nsegments/3-9.m4s\n"));
  auto left_out = live();
  send_to_stores(left_out.items, entries, [](const auto&) { return 0; });
  EXPECT_THAT(render(left_out), Not(HasSubstr("stored/")));
}

TEST_F(HlsPlaylist, transcoded_segments_have_names_of_their_own) {
  add(row(3, 7, 0s));
  add(row(3, 8, 2s)).init_xxh3 = "2222222222222222";
  auto& cut = add(row(3, 9, 4s));
  cut.init_xxh3 = "3333333333333333";
  cut.sap = 0;
  auto playlist = live();
  name_transcoded(playlist.items, entries, [](const record::IndexEntry& one) {
    return one.init_xxh3.front() == '1' ? "" : one.init_xxh3.front() == '2' ? kHeard : kSeen;
  });
  EXPECT_THAT(render(playlist),
              AllOf(HasSubstr("init/1111111111111111.mp4\"\n"), HasSubstr("\nsegments/3-7.m4s\n"),
                    HasSubstr("init/2222222222222222-aac.mp4\"\n"), HasSubstr("\nsegments/3-8-aac.m4s\n"),
                    HasSubstr("init/3333333333333333-h264.mp4\"\n"), HasSubstr("\nsegments/3-9-h264.m4s\n"),
                    HasSubstr("#EXT-X-INDEPENDENT-SEGMENTS\n")));  // the GOP that was cut begins anew there
}

TEST_F(HlsPlaylist, what_is_stored_in_another_form_is_a_gap_unless_it_is_transcoded) {
  add(row(3, 7, 0s)).init_xxh3.clear();
  EXPECT_THAT(text(), HasSubstr("#EXT-X-GAP\n"));
  auto playlist = live();
  name_transcoded(playlist.items, entries, [](const record::IndexEntry&) { return kSeen; });
  EXPECT_THAT(render(playlist), AllOf(HasSubstr("init/epoch-3-h264.mp4\"\n"),
                                      HasSubstr("\nsegments/3-7-h264.m4s\n"), Not(HasSubstr("#EXT-X-GAP"))));
}

TEST_F(HlsPlaylist, a_discontinuity_has_its_time_and_map_again) {
  add(row(1, 0, 0s), 0);
  add(row(2, 1, 9s), 1);
  EXPECT_THAT(
      text(),
      HasSubstr("segments/1-0.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"init/1111111111111111.mp4\"\n"
                "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:29.000000Z\n"));
}

TEST_F(HlsPlaylist, a_window_that_has_moved_on_counts_discontinuities_as_before) {
  for (int i = 0; i < 4; ++i) add(row(1, i, i * 2s), i < 2 ? 4 : 5);
  EXPECT_EQ(live().items[2].discontinuities, 5);
  rows.erase(rows.begin(), rows.begin() + 2);
  entries.erase(entries.begin(), entries.begin() + 2);
  EXPECT_EQ(live().items[0].discontinuities, 5);
  EXPECT_THAT(text(), AllOf(HasSubstr("#EXT-X-DISCONTINUITY-SEQUENCE:5\n"),
                            Not(HasSubstr("#EXT-X-DISCONTINUITY\n"))));
}

TEST_F(HlsPlaylist, new_parameters_have_a_new_map) {
  add(row(1, 0, 0s), 0);
  add(row(1, 1, 2s), 1).init_xxh3 = "2222222222222222";
  EXPECT_THAT(text(), HasSubstr("#EXT-X-MAP:URI=\"init/2222222222222222.mp4\"\n"));
}

TEST_F(HlsPlaylist, where_numbers_are_missing_are_gaps_and_the_count_goes_on) {
  add(row(1, 0, 0s));
  add(row(1, 3, 6s));
  auto items = live().items;
  ASSERT_EQ(items.size(), 4u);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(items[i].ordinal, i);
    EXPECT_EQ(items[i].is_gap, i == 1 || i == 2);
    EXPECT_EQ(items[i].time, kStart + i * 2s);
  }
  EXPECT_THAT(text(),
              HasSubstr("#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:22.000000Z\n#EXT-X-GAP\n#EXTINF:2.0"));
}

TEST_F(HlsPlaylist, what_retention_has_taken_is_left_out_at_the_beginning) {
  for (int i = 0; i < 3; ++i) add(row(1, i, i * 2s));
  kept = Offset(1);
  EXPECT_EQ(live().items.size(), 2u);
  EXPECT_EQ(live().items[0].ordinal, 1);
}

TEST_F(HlsPlaylist, what_cannot_be_given_is_a_gap) {
  add(row(1, 0, 0s));
  add(row(1, 1, 2s)).init_xxh3.clear();  // NUT
  add(row(1, 2, 4s));
  add(row(1, 3, 6s));
  entries[2] = nullptr;  // its entry is damaged
  auto items = live().items;
  ASSERT_EQ(items.size(), 4u);
  EXPECT_EQ(items[3].discontinuities, 0);
  EXPECT_FALSE(items[0].is_gap);
  EXPECT_TRUE(items[1].is_gap);
  EXPECT_TRUE(items[2].is_gap);
}

TEST_F(HlsPlaylist, late_footage_is_recorded_and_not_live) {
  add(row(1, 0, 0s));
  add(late(row(2, 0, 2s)), 1);
  add(row(1, 1, 4s));
  EXPECT_EQ(live().items.size(), 2u);
  EXPECT_THAT(vod_text(), HasSubstr("segments/1-0.m4s\n#EXT-X-DISCONTINUITY\n"));
  EXPECT_THAT(vod_text(), HasSubstr("segments/2-0.m4s\n#EXT-X-DISCONTINUITY\n"));
}

TEST_F(HlsPlaylist, with_a_gop_that_was_cut_does_not_promise_independence) {
  add(row(1, 0, 0s));
  add(row(1, 1, 2s)).sap = 0;
  EXPECT_THAT(text(), Not(HasSubstr("INDEPENDENT")));
}

TEST_F(HlsPlaylist, without_segments_is_still_one) {
  EXPECT_EQ(render({}),
            "#EXTM3U\n#EXT-X-VERSION:8\n#EXT-X-TARGETDURATION:1\n#EXT-X-INDEPENDENT-SEGMENTS\n"
            "#EXT-X-MEDIA-SEQUENCE:0\n");
}

TEST(SegmentName, is_read_as_it_is_written) {
  auto name = segment_name(EpochNumber(1'099'511'627'776), SegmentNumber(5));
  EXPECT_EQ(name, "1099511627776-5");
  EXPECT_EQ(parse_segment_name(name), std::pair(EpochNumber(1'099'511'627'776), SegmentNumber(5)));
  for (auto text : {"", "5", "-5", "5-", "a-b", "1-2-3", "1- 2", "../1-2"})
    EXPECT_EQ(parse_segment_name(text), std::nullopt) << text;
}

}  // namespace
}  // namespace gopline::server
