#include "analyzer/objects/output_layout.h"

#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gopline::analyzer {
namespace {

using ::testing::DoubleNear;
using ::testing::SizeIs;

// Two classes; a box of 40x80 at (160, 80) of 320x160, and a weak one.
TEST(OutputLayout, ReadsBoxesOneAfterTheOther) {
  std::vector<float> numbers{160, 80, 40, 80, 0.9F, 0.1F, 0.8F,  //
                             10,  10, 20, 20, 0.5F, 0.4F, 0.1F};
  auto seen = read_output({{1, 2, 7}, numbers.data()}, OutputLayout::kYolo5, 320, 160, 0.5);
  ASSERT_TRUE(seen);
  ASSERT_THAT(*seen, SizeIs(1));
  EXPECT_EQ((*seen)[0].class_number, 1);
  EXPECT_THAT((*seen)[0].score, DoubleNear(0.72, 1e-6));
  EXPECT_EQ((*seen)[0].box, (record::PictureBox{0.4375, 0.25, 0.125, 0.5}));
}

TEST(OutputLayout, ReadsBoxesThatLieAcross) {
  std::vector<float> numbers{160, 10, 80, 10, 40, 20, 80, 20, 0.1F, 0.4F, 0.72F, 0.1F};
  auto seen = read_output({{1, 6, 2}, numbers.data()}, OutputLayout::kYolo8, 320, 160, 0.5);
  ASSERT_TRUE(seen);
  ASSERT_THAT(*seen, SizeIs(1));
  EXPECT_EQ((*seen)[0].class_number, 1);
  EXPECT_EQ((*seen)[0].box, (record::PictureBox{0.4375, 0.25, 0.125, 0.5}));
}

TEST(OutputLayout, ReadsCells) {
  // Two rows, two columns; 5 + 2 planes. The cell at row 1, column 0 has something in its middle half.
  std::vector<float> numbers(7 * 4, 0.0F);
  auto at = [&](int plane) -> float& { return numbers[static_cast<std::size_t>(plane * 4 + 2)]; };
  at(0) = 0.9F;
  at(1) = std::atanh(0.5F);  // its middle is half a cell to the right
  at(5) = 0.2F;
  at(6) = 0.8F;
  auto seen = read_output({{1, 7, 2, 2}, numbers.data()}, OutputLayout::kFastestDet, 352, 352, 0.5);
  ASSERT_TRUE(seen);
  ASSERT_THAT(*seen, SizeIs(1));
  EXPECT_EQ((*seen)[0].class_number, 1);
  EXPECT_THAT((*seen)[0].score, DoubleNear(std::pow(0.9, 0.6) * std::pow(0.8, 0.4), 1e-6));
  EXPECT_EQ((*seen)[0].box, (record::PictureBox{0, 0.25, 0.5, 0.5}))
      << "half the picture, around (0.25, 0.5)";
}

TEST(OutputLayout, IsGuessedFromTheShape) {
  EXPECT_EQ(*guess_layout({1, 85, 22, 22}), OutputLayout::kFastestDet);
  EXPECT_EQ(*guess_layout({1, 25200, 85}), OutputLayout::kYolo5);
  EXPECT_EQ(*guess_layout({1, 84, 8400}), OutputLayout::kYolo8);
  for (const auto& shape :
       std::vector<std::vector<int>>{{}, {1}, {1, 1000}, {2, 25200, 85}, {1, 3, 80, 80, 85}})
    EXPECT_FALSE(guess_layout(shape));
}

TEST(OutputLayout, AnotherShapeIsRefused) {
  float number = 0;
  EXPECT_FALSE(read_output({{1, 1000}, &number}, OutputLayout::kYolo5, 1, 1, 0));
  EXPECT_FALSE(read_output({{1, 5, 22, 22}, &number}, OutputLayout::kFastestDet, 1, 1, 0));
}

}  // namespace
}  // namespace gopline::analyzer
