#include "common/base/headers.h"

#include <gtest/gtest.h>

namespace gopline {
namespace {

TEST(FindHeader, GivesTheFirstOfARepeatedName) {
  Headers headers{{"a", "1"}, {"b", "2"}, {"a", "3"}};
  EXPECT_EQ(find_header(headers, "a"), "1");
  EXPECT_EQ(find_header(headers, "c"), std::nullopt);
}

}  // namespace
}  // namespace gopline
