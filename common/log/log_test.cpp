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

}  // namespace
}  // namespace gopline
