#include "server/segment_rows.h"

#include <gmock/gmock.h>

#include "server/test_rows.h"

namespace gopline::server {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> names(const std::vector<SegmentRow>& rows) {
  std::vector<std::string> out;
  for (const auto& row : rows) out.push_back(fmt::format("{}-{}", row.epoch, row.segment));
  return out;
}

TEST(SegmentRows, keep_each_segment_once_in_whatever_order_it_comes) {
  SegmentRows rows;
  EXPECT_TRUE(rows.add(row(1, 1, 2s)));
  EXPECT_TRUE(rows.add(row(1, 0, 0s)));
  EXPECT_FALSE(rows.add(row(1, 1, 2s)));
  EXPECT_THAT(names(rows.between({}, {})), ElementsAre("1-0", "1-1"));
  EXPECT_EQ(rows.find(EpochNumber(1), SegmentNumber(1)), row(1, 1, 2s));
  EXPECT_EQ(rows.find(EpochNumber(1), SegmentNumber(2)), std::nullopt);
}

TEST(SegmentRows, many_at_once_keep_what_was_there) {
  SegmentRows rows;
  rows.add(row(1, 2, 4s));
  auto again = row(1, 2, 4s), first = row(1, 0, 0s);
  again.entry = first.entry = Offset(99);  // as a roll-up tells them
  rows.add({again, first, row(1, 3, 6s), row(0, 7, 0s), row(1, 3, 6s)});
  EXPECT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows.find(EpochNumber(1), SegmentNumber(2))->entry, Offset(2));
  EXPECT_EQ(rows.find(EpochNumber(1), SegmentNumber(0))->entry, Offset(99));
  EXPECT_EQ(rows.longest(), 2s);
}

TEST(SegmentRows, a_range_has_what_overlaps_it) {
  SegmentRows rows;
  for (int i = 0; i < 5; ++i) rows.add(row(1, i, i * 2s));
  EXPECT_THAT(names(rows.between(kStart + 3s, kStart + 6s)), ElementsAre("1-1", "1-2"));
  EXPECT_THAT(names(rows.between(kStart + 2s, kStart + 4s)), ElementsAre("1-1"));
  EXPECT_THAT(names(rows.between(kStart + 8s, {})), ElementsAre("1-4"));
  EXPECT_THAT(names(rows.between({}, kStart + 1s)), ElementsAre("1-0"));
}

TEST(SegmentRows, epochs_are_played_by_capture_time_and_each_in_its_own_order) {
  SegmentRows rows;
  rows.add(row(1, 0, 100s));
  rows.add(row(1, 1, 90s));  // the camera's clock was set back
  rows.add(row(2, 0, 0s));   // imported afterwards
  EXPECT_THAT(names(rows.between({}, {})), ElementsAre("2-0", "1-0", "1-1"));
}

TEST(SegmentRows, late_footage_lies_where_it_was_taken_and_is_not_live) {
  SegmentRows rows;
  for (int i : {0, 1, 5, 6}) rows.add(row(1, i, i * 2s));
  for (int i : {0, 1, 2}) rows.add(late(row(2, i, 4s + i * 2s)));
  EXPECT_THAT(names(rows.between({}, {})), ElementsAre("1-0", "1-1", "2-0", "2-1", "2-2", "1-5", "1-6"));
  EXPECT_THAT(names(rows.newest(3)), ElementsAre("1-1", "1-5", "1-6"));
}

TEST(SegmentRows, forget_what_the_index_does_not_keep) {
  SegmentRows rows;
  for (int i = 0; i < 4; ++i) rows.add(row(1, i, i * 2s));
  rows.forget_before(Offset(2));
  EXPECT_THAT(names(rows.between({}, {})), ElementsAre("1-2", "1-3"));
}

TEST(SegmentRows, are_read_from_the_headers_of_index_entries) {
  auto encoded = record::encode(*entry(row(7, 3, 6s)));
  StoredRecord stored;
  stored.offset = Offset(3);
  stored.headers = encoded.headers;
  EXPECT_EQ(row_from(stored), row(7, 3, 6s));
  std::erase_if(stored.headers, [](const auto& header) { return header.name == "ce_duration"; });
  EXPECT_EQ(row_from(stored), std::nullopt);
  EXPECT_EQ(row_from(StoredRecord{}), std::nullopt);
}

}  // namespace
}  // namespace gopline::server
