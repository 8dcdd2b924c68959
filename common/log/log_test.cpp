#include "common/log/log.h"

#include <gtest/gtest.h>

namespace gopline {
namespace {

// Values of org.apache.kafka.common.utils.Utils.murmur2, as its own unit test lists them.
TEST(PartitionForKey, AgreesWithTheJavaClient) {
  struct Case {
    const char* key;
    std::int32_t murmur2;
  };
  for (auto [key, hash] :
       {Case{"21", -973932308}, Case{"foobar", -790332482}, Case{"a-little-bit-long-string", -985981536},
        Case{"a-little-bit-longer-string", -1486304829},
        Case{"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971}}) {
    EXPECT_EQ(partition_for_key(key, 1'000'003).value, (hash & 0x7fffffff) % 1'000'003) << key;
  }
}

TEST(LeaveSharedBlock, CopiesWhatIsSmallInALargeBlock) {
  auto block = Buffer::take(std::vector<std::uint8_t>(8 << 20, 7));
  struct Case {
    std::size_t size, pinned;
    bool copied;
  };
  for (auto [size, pinned, copied] :
       {Case{1000, 8 << 20, true}, Case{1000, 4000, false}, Case{1000, 4001, true},
        Case{1 << 20, 8 << 20, false}, Case{0, 100, true}}) {
    StoredRecord record;
    record.value = block.share(0, size);
    record.pinned_bytes = pinned;
    leave_shared_block(record);
    EXPECT_EQ(*record.value, block.share(0, size));
    EXPECT_EQ(record.value->data() != block.data(), copied) << size << " of " << pinned;
    EXPECT_EQ(record.pinned_bytes, copied ? size : pinned);
  }
  StoredRecord tombstone;
  tombstone.pinned_bytes = 100;
  leave_shared_block(tombstone);
  EXPECT_FALSE(tombstone.value);
}

}  // namespace
}  // namespace gopline
