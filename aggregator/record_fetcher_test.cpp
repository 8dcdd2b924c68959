#include "aggregator/record_fetcher.h"

#include <gtest/gtest.h>

#include "common/log/memory_log.h"

namespace gopline::aggregator {
namespace {

const TopicPartition kWhere{"t", PartitionId(0)};

class RecordFetcherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(log_.ensure_topic({"t", 1, {}}));
    auto writer = *log_.make_writer({});
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(writer->append_and_wait(kWhere, {"k", BufferChain(Buffer::copy("value")), {}, {}}));
    }
  }
  MemoryLog log_;
};

TEST_F(RecordFetcherTest, KnowsAHoleFromARecord) {
  for (auto hole : {1, 3}) ASSERT_TRUE(log_.drop_record(kWhere, Offset(hole)));
  RecordFetcher fetcher(log_, kWhere, {});
  for (auto [offset, there] :
       {std::pair(0, true), {1, false}, {2, true}, {3, false}, {4, false}, {2, true}}) {
    auto record = fetcher.fetch(Offset(offset));
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_EQ(record->has_value(), there) << offset;
  }
}

TEST_F(RecordFetcherTest, ARecordThatDoesNotComeIsNotAHole) {
  log_.deliver_nothing(true);
  RecordFetcher fetcher(log_, kWhere, {}, std::chrono::milliseconds(20));
  EXPECT_EQ(fetcher.fetch(Offset(1)).error().code, ErrorCode::kUnavailable);
  log_.deliver_nothing(false);
  EXPECT_TRUE(fetcher.fetch(Offset(1))->has_value());
}

TEST_F(RecordFetcherTest, WhatWaitsKeepsNoBlockAliveThatIsMuchLarger) {
  auto writer = *log_.make_writer({});
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(
        writer->append_and_wait(kWhere, {"k", BufferChain(Buffer::copy(std::string(9000, 'x'))), {}, {}}));
  }
  ASSERT_TRUE(log_.truncate_value(kWhere, Offset(4), 2000));
  ASSERT_TRUE(log_.truncate_value(kWhere, Offset(5), 3000));
  auto stored = log_.records(kWhere);
  RecordFetcher fetcher(log_, kWhere, {});
  auto small = fetcher.fetch(Offset(4)).value().value();
  EXPECT_EQ(small.value, stored[4].value);
  EXPECT_NE(small.value->data(), stored[4].value->data());
  EXPECT_EQ(small.pinned_bytes, 2000u);
  auto large = fetcher.fetch(Offset(5)).value().value();
  EXPECT_EQ(large.value->data(), stored[5].value->data());
  EXPECT_EQ(large.pinned_bytes, 9000u);
}

}  // namespace
}  // namespace gopline::aggregator
