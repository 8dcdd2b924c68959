#include "common/log/memory_log.h"

#include <gtest/gtest.h>

#include "common/log/null_log.h"

namespace gopline {
namespace {

const TopicPartition kWhere{"t", PartitionId(0)};

NewRecord record(std::string key, std::string_view value) {
  return {std::move(key), BufferChain(Buffer::copy(value)), {}, Timestamp{}};
}

class MemoryLogFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(log_.ensure_topic({"t", 1, {}}));
    writer_ = *log_.make_writer({});
    ASSERT_TRUE(writer_->append_and_wait(kWhere, record("k", "zero")));
    ASSERT_TRUE(writer_->append_and_wait(kWhere, record("k", "one")));
    reader_ = *log_.make_reader({});
    ASSERT_TRUE(reader_->assign({{kWhere, StartPosition::beginning()}}));
  }
  MemoryLog log_;
  std::unique_ptr<LogWriter> writer_;
  std::unique_ptr<LogReader> reader_;
};

TEST_F(MemoryLogFaults, FailsAppendsAsTold) {
  log_.reject_next_appends(1, {ErrorCode::kIo, "rejected"});
  log_.fail_next_appends(1, {ErrorCode::kOutOfSpace, "full"});
  EXPECT_EQ(writer_->append_and_wait(kWhere, record("k", "2")).error().code, ErrorCode::kIo);
  EXPECT_EQ(writer_->append_and_wait(kWhere, record("k", "2")).error().code, ErrorCode::kOutOfSpace);
  EXPECT_EQ(writer_->append_and_wait(kWhere, record("k", "2")), Offset(2));
  log_.lose_next_acknowledgement({ErrorCode::kUnavailable, "lost"});
  EXPECT_FALSE(writer_->append_and_wait(kWhere, record("k", "3")));
  EXPECT_EQ(log_.offsets(kWhere)->end, Offset(4));
}

TEST_F(MemoryLogFaults, HarmsStoredRecords) {
  EXPECT_TRUE(log_.flip_byte(kWhere, Offset(0), 0));
  EXPECT_TRUE(log_.damage(kWhere, Offset(1), {ErrorCode::kCorrupt, "short file"}));
  EXPECT_TRUE(log_.repeat_record(kWhere, Offset(0)));
  EXPECT_FALSE(log_.flip_byte(kWhere, Offset(9), 0));
  auto records = *reader_->poll(Duration(0));
  ASSERT_EQ(records.size(), 3u);
  EXPECT_NE(records[0].value->text(), "zero");
  EXPECT_EQ(records[1].damage->message, "short file");
  EXPECT_EQ(records[2].value, records[0].value);
}

TEST_F(MemoryLogFaults, DeliversNothingWhileAway) {
  log_.deliver_nothing(true);
  EXPECT_TRUE(reader_->poll(Duration(0))->empty());
  EXPECT_EQ(reader_->position(kWhere), Offset(0));
  log_.deliver_nothing(false);
  EXPECT_EQ(reader_->poll(Duration(0))->size(), 2u);
}

TEST_F(MemoryLogFaults, DropsAndTrims) {
  EXPECT_TRUE(log_.drop_record(kWhere, Offset(0)));
  EXPECT_EQ(log_.records(kWhere).size(), 1u);
  log_.trim(kWhere, Offset(2));
  EXPECT_EQ(log_.offsets(kWhere)->begin, Offset(2));
  EXPECT_TRUE(reader_->poll(Duration(0))->empty());
  EXPECT_EQ(reader_->position(kWhere), Offset(2));
}

TEST_F(MemoryLogFaults, HeldAcknowledgementsFillTheBudget) {
  log_.hold_acknowledgements(true);
  auto narrow = *log_.make_writer({"narrow", 4});
  ASSERT_TRUE(narrow->append(kWhere, record("", "abcd"), nullptr));
  StopSource stop;
  stop.request_stop();
  EXPECT_EQ(narrow->append(kWhere, record("", "e"), nullptr, stop.get_token()).error().code,
            ErrorCode::kCancelled);
  log_.hold_acknowledgements(false);
  EXPECT_TRUE(narrow->append(kWhere, record("", "e"), nullptr));
  EXPECT_TRUE(narrow->flush());
}

TEST(NullLog, CountsAndForgets) {
  auto log = make_null_log();
  ASSERT_TRUE(log->ensure_topic({"t", 2, {}}));
  auto writer = *log->make_writer({});
  EXPECT_EQ(writer->append_and_wait(kWhere, record("k", "v")), Offset(0));
  EXPECT_EQ(writer->append_and_wait(kWhere, record("k", "v")), Offset(1));
  EXPECT_EQ(writer->append_and_wait({"t", PartitionId(2)}, record("k", "v")).error().code,
            ErrorCode::kNotFound);
  EXPECT_EQ(log->describe_topic("t")->partitions, 2);
  auto reader = *log->make_reader({});
  ASSERT_TRUE(reader->assign({{kWhere, StartPosition::beginning()}}));
  EXPECT_TRUE(reader->poll(Duration(0))->empty());
  EXPECT_EQ(reader->position(kWhere), Offset(2));
  EXPECT_EQ(reader->lag(kWhere), 0);
  EXPECT_EQ(reader->position({"t", PartitionId(1)}).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace gopline
