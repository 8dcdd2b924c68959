#include "aggregator/record_fetcher.h"

#include <gtest/gtest.h>

#include "common/log/memory_log.h"

namespace gopline::aggregator {
namespace {

const TopicPartition kWhere{"t", PartitionId(0)};

// Counts how often it is asked what a partition holds.
class CountingLog final : public Log {
 public:
  explicit CountingLog(Log& log) : log_(log) {}
  int questions = 0;

  Result<OffsetRange> offsets(const TopicPartition& where) override {
    ++questions;
    return log_.offsets(where);
  }
  Result<TopicInfo> ensure_topic(const TopicSpec& spec) override { return log_.ensure_topic(spec); }
  Result<TopicInfo> describe_topic(const std::string& name) override { return log_.describe_topic(name); }
  Result<std::vector<std::string>> list_topics() override { return log_.list_topics(); }
  Result<void> add_partitions(const std::string& name, std::int32_t partitions) override {
    return log_.add_partitions(name, partitions);
  }
  Result<void> delete_topic(const std::string& name) override { return log_.delete_topic(name); }
  Result<void> apply_retention() override { return log_.apply_retention(); }
  Result<std::unique_ptr<LogWriter>> make_writer(LogWriterOptions options) override {
    return log_.make_writer(std::move(options));
  }
  Result<std::unique_ptr<LogReader>> make_reader(LogReaderOptions options) override {
    return log_.make_reader(std::move(options));
  }
  std::string describe() const override { return log_.describe(); }

 private:
  Log& log_;
};

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

TEST_F(RecordFetcherTest, AsksTheLogAgainOnlyBeyondWhatItSaid) {
  CountingLog counting(log_);
  RecordFetcher fetcher(counting, kWhere, {});
  for (int offset : {0, 1, 2, 3, 1}) EXPECT_TRUE(fetcher.fetch(Offset(offset))->has_value()) << offset;
  EXPECT_EQ(counting.questions, 1);
  EXPECT_FALSE(fetcher.fetch(Offset(4))->has_value());
  auto writer = *log_.make_writer({});
  ASSERT_TRUE(writer->append_and_wait(kWhere, {"k", BufferChain(Buffer::copy("value")), {}, {}}));
  EXPECT_TRUE(fetcher.fetch(Offset(4))->has_value());
  EXPECT_EQ(counting.questions, 3);
}

TEST_F(RecordFetcherTest, WhatExpiresMeanwhileIsAHole) {
  RecordFetcher fetcher(log_, kWhere, {});
  EXPECT_TRUE(fetcher.fetch(Offset(0))->has_value());
  log_.trim(kWhere, Offset(2));
  EXPECT_FALSE(fetcher.fetch(Offset(1))->has_value());
  EXPECT_TRUE(fetcher.fetch(Offset(2))->has_value());
  log_.trim(kWhere, Offset(4));
  EXPECT_FALSE(fetcher.fetch(Offset(3))->has_value());
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
