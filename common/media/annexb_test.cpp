#include "common/media/annexb.h"

#include <gtest/gtest.h>

namespace gopline::media {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes bytes_of(const Buffer& buffer) {
  return {buffer.bytes().begin(), buffer.bytes().end()};
}

TEST(AnnexB, TakesThreeAndFourByteStartCodes) {
  auto out = to_length_prefixed(Buffer::take({0, 0, 0, 1, 0x67, 9, 0, 0, 1, 0x68, 7, 6}));
  EXPECT_EQ(bytes_of(out), (Bytes{0, 0, 0, 2, 0x67, 9, 0, 0, 0, 3, 0x68, 7, 6}));
}

TEST(AnnexB, KeepsTrailingZerosBeyondTheStartCodeAndAtTheEnd) {
  auto out = to_length_prefixed(Buffer::take({0, 0, 1, 0x65, 5, 0, 0, 0, 0, 1, 0x41, 0, 0}));
  EXPECT_EQ(bytes_of(out), (Bytes{0, 0, 0, 3, 0x65, 5, 0, 0, 0, 0, 3, 0x41, 0, 0}));
}

TEST(AnnexB, IgnoresWhatPrecedesTheFirstStartCodeAndEmptyUnits) {
  EXPECT_EQ(to_length_prefixed(Buffer::take({9, 9, 9})).size(), 0u);
  EXPECT_EQ(bytes_of(to_length_prefixed(Buffer::take({0, 0, 1, 0, 0, 1, 0x41}))), (Bytes{0, 0, 0, 1, 0x41}));
  EXPECT_TRUE(nals_of_annexb({}).empty());
}

TEST(AnnexB, ComesBackWithFourByteStartCodes) {
  auto back = to_annexb(Buffer::take({0, 0, 0, 2, 0x67, 9, 0, 0, 0, 1, 0x68}));
  ASSERT_TRUE(back);
  EXPECT_EQ(bytes_of(*back), (Bytes{0, 0, 0, 1, 0x67, 9, 0, 0, 0, 1, 0x68}));
}

TEST(AnnexB, RefusesLengthsThatRunPastTheEnd) {
  EXPECT_EQ(to_annexb(Buffer::take({0, 0, 0, 9, 1})).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(to_annexb(Buffer::take({0, 0})).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace gopline::media
