#include "splitter/hour_entries.h"

#include <gmock/gmock.h>

namespace gopline::splitter {
namespace {

constexpr int kAnHourOfSegments = 1800;

record::IndexEntry entry(int n) {
  record::IndexEntry entry;
  entry.stream = "site-7/door";
  entry.writer = "5f0c6a52-43b1-4d1a-8f43-0a2f9b3c7d11";
  entry.epoch = EpochNumber(41'000);
  entry.epoch_offset = Offset(41'000);
  entry.segment = SegmentNumber(n);
  entry.ordinal = Ordinal(900'000 + n);
  entry.partition = PartitionId(3);
  entry.offsets = {Offset(41'001 + 7 * n)};
  entry.time = Timestamp(Duration(1'795'447'704'950'213 + 2'000'011LL * n));
  entry.clock = record::CaptureClock::kNtp;
  entry.start = {180'000LL * n, 90'000};
  entry.duration = {180'000 + n % 3, 90'000};
  entry.size = 180'000 + static_cast<std::uint64_t>(n * 7919 % 20'000);
  entry.sap = 1;
  entry.init_xxh3 = "90c1f0a4be3d5527";
  entry.parts = {{1, 0, entry.size, entry.duration, 1}};
  if (n % 100 == 7) {
    entry.gap =
        record::GapFacts{record::GapCause::kSourceOutage, entry.time - Duration(5'000'000), entry.time, 0};
  }
  return entry;
}

void add(HourEntries& hour, const record::IndexEntry& entry) {
  hour.add(entry, record::encode(entry).value.text());
}

TEST(HourEntries, ComeBackAsTheyWereWithTheirSums) {
  HourEntries hour;
  EXPECT_TRUE(hour.empty());
  std::uint64_t bytes = 0;
  for (int n = 0; n < kAnHourOfSegments; ++n) {
    add(hour, entry(n));
    bytes += entry(n).size;
  }
  auto taken = hour.take();
  ASSERT_TRUE(taken.has_value()) << taken.error().message;
  ASSERT_EQ(taken->entries.size(), static_cast<std::size_t>(kAnHourOfSegments));
  for (int n = 0; n < kAnHourOfSegments; ++n)
    ASSERT_EQ(taken->entries[static_cast<std::size_t>(n)], entry(n));
  EXPECT_EQ(taken->segments, kAnHourOfSegments);
  EXPECT_EQ(taken->bytes, bytes);
  EXPECT_EQ(taken->gaps, 18);
  EXPECT_EQ(taken->from, entry(0).time);
  EXPECT_EQ(taken->to, entry(kAnHourOfSegments - 1).end_time());
  EXPECT_TRUE(hour.empty());
}

TEST(HourEntries, AnHourAfterAnotherHasItsOwnSums) {
  HourEntries hour;
  add(hour, entry(7));
  ASSERT_TRUE(hour.take().has_value());
  add(hour, entry(8));
  add(hour, entry(3));  // a clock went back
  auto taken = hour.take();
  ASSERT_TRUE(taken.has_value());
  EXPECT_THAT(taken->entries, testing::ElementsAre(entry(8), entry(3)));
  EXPECT_EQ(taken->from, entry(3).time);
  EXPECT_EQ(taken->to, entry(8).end_time());
  EXPECT_EQ(taken->gaps, 0);
}

TEST(HourEntries, TakeLittle) {
  HourEntries hour;
  for (int n = 0; n < kAnHourOfSegments; ++n) add(hour, entry(n));
  EXPECT_LT(hour.resident_bytes(), static_cast<std::size_t>(kAnHourOfSegments) * 100);
}

}  // namespace
}  // namespace gopline::splitter
