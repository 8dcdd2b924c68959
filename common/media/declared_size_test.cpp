#include "common/media/declared_size.h"

#include <vector>

#include <gtest/gtest.h>

namespace gopline::media {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(DeclaredSize, of_riff) {
  EXPECT_EQ(declared_size(Bytes{'R', 'I', 'F', 'F', 0x10, 0x27, 0, 0, 'A', 'V', 'I', ' '}), 10'008u);
  EXPECT_EQ(declared_size(Bytes{'R', 'I', 'F', 'F', 0, 0, 0, 0}), std::nullopt) << "never finished";
  EXPECT_EQ(declared_size(Bytes{'R', 'I', 'F', 'F', 0xFF, 0xFF, 0xFF, 0xFF}), std::nullopt)
      << "written to a pipe";
  EXPECT_EQ(declared_size(Bytes{'R', 'I', 'F', 'F', 1}), std::nullopt);
}

TEST(DeclaredSize, of_ebml) {
  Bytes head{0x1A, 0x45, 0xDF, 0xA3, 0x82, 'x', 'y', 0x18, 0x53, 0x80, 0x67, 0x01, 0, 0, 0, 0, 0, 0x10, 0x00};
  EXPECT_EQ(declared_size(head), head.size() + 0x1000);
  head.erase(head.end() - 8, head.end());
  head.push_back(0xFF);
  EXPECT_EQ(declared_size(head), std::nullopt) << "a live stream does not know its size";
  head.back() = 0x85;
  EXPECT_EQ(declared_size(head), head.size() + 5);
}

TEST(DeclaredSize, of_anything_else) {
  EXPECT_EQ(declared_size(Bytes{}), std::nullopt);
  EXPECT_EQ(declared_size(Bytes{0, 0, 0, 32, 'f', 't', 'y', 'p'}), std::nullopt);
  EXPECT_EQ(declared_size(Bytes{0x1A, 0x45, 0xDF, 0xA3, 0xFF}), std::nullopt);
  EXPECT_EQ(declared_size(Bytes{0x1A, 0x45, 0xDF, 0xA3, 0x9F, 1, 2}), std::nullopt) << "cut in the header";
}

}  // namespace
}  // namespace gopline::media
