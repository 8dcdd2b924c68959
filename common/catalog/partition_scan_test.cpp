#include "common/catalog/partition_scan.h"

#include <gmock/gmock.h>

#include "common/log/memory_log.h"

namespace gopline::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const TopicPartition kWhere{"t", PartitionId(0)};

class PartitionScanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(log_.ensure_topic({"t", 1, {}}));
    auto writer = *log_.make_writer({});
    for (int i = 0; i < 8; ++i) {
      ASSERT_TRUE(writer->append_and_wait(kWhere, {"k", BufferChain(Buffer::copy("v")), {}, {}}));
    }
  }
  // The offsets that a scan visits.
  std::vector<std::int64_t> scan(PartitionScanner& scanner, Offset from, std::optional<Offset> to = {}) {
    std::vector<std::int64_t> seen;
    reached_ = scanner.scan(from, to, [&](const StoredRecord& record) {
      seen.push_back(record.offset.value);
      return true;
    });
    return seen;
  }

  MemoryLog log_;
  Result<Offset> reached_;
};

TEST_F(PartitionScanTest, ReadsARangeAndSaysWhereToGoOn) {
  PartitionScanner scanner(log_, kWhere, {});
  EXPECT_THAT(scan(scanner, Offset(2), Offset(5)), ElementsAre(2, 3, 4));
  EXPECT_EQ(reached_, Offset(5));
  EXPECT_THAT(scan(scanner, Offset(6)), ElementsAre(6, 7));
  EXPECT_EQ(reached_, Offset(8));
  EXPECT_THAT(scan(scanner, Offset(0), Offset(2)), ElementsAre(0, 1));
  EXPECT_THAT(scan(scanner, Offset(20)), IsEmpty());
  EXPECT_EQ(reached_, Offset(20));
  auto first = scanner.scan(Offset(3), {}, [](const StoredRecord&) { return false; });
  EXPECT_EQ(first, Offset(4));
  EXPECT_THAT(scan(scanner, *first, Offset(6)), ElementsAre(4, 5));
}

TEST_F(PartitionScanTest, PassesHoles) {
  for (auto hole : {0, 3, 6, 7}) ASSERT_TRUE(log_.drop_record(kWhere, Offset(hole)));
  PartitionScanner scanner(log_, kWhere, {});
  EXPECT_THAT(scan(scanner, Offset(0)), ElementsAre(1, 2, 4, 5));
  EXPECT_EQ(reached_, Offset(8));
  EXPECT_EQ(read_record(log_, kWhere, Offset(7))->has_value(), false);
  EXPECT_EQ(read_record(log_, kWhere, Offset(3))->has_value(), false);
  EXPECT_EQ(read_record(log_, kWhere, Offset(4))->value().offset, Offset(4));
}

// Nothing coming is not the end: what the log holds would be taken for missing.
TEST_F(PartitionScanTest, ALogThatDeliversNothingIsAway) {
  ScanOptions options;
  options.patience = std::chrono::milliseconds(20);
  PartitionScanner scanner(log_, kWhere, options);
  EXPECT_THAT(scan(scanner, Offset(0), Offset(3)), ElementsAre(0, 1, 2));
  log_.deliver_nothing(true);
  EXPECT_THAT(scan(scanner, Offset(0)), IsEmpty());
  ASSERT_FALSE(reached_);
  EXPECT_EQ(reached_.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(reached_.error().message, HasSubstr("records 0 to 7 of \"t\", partition 0"));
  log_.deliver_nothing(false);
  EXPECT_EQ(scan(scanner, Offset(0)).size(), 8u);
}

TEST_F(PartitionScanTest, StopsWhileItWaits) {
  StopSource stop;
  ScanOptions options;
  options.stop = stop.get_token();
  PartitionScanner scanner(log_, kWhere, options);
  log_.deliver_nothing(true);
  stop.request_stop();
  scan(scanner, Offset(0));
  ASSERT_FALSE(reached_);
  EXPECT_EQ(reached_.error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace gopline::catalog
