#include "analyzer/sighting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gopline::analyzer {
namespace {

TEST(BestOf, LeavesOutWhatIsTheSame) {
  record::PictureBox box{0.1, 0.1, 0.2, 0.2}, beside{0.11, 0.1, 0.2, 0.2}, apart{0.6, 0.1, 0.2, 0.2};
  auto best =
      best_of({{"dog", 0.6, beside}, {"dog", 0.9, box}, {"cat", 0.5, beside}, {"dog", 0.7, apart}}, 0.45);
  ASSERT_THAT(best, ::testing::SizeIs(3));
  EXPECT_EQ(best[0].box, box);
  EXPECT_EQ(best[1].box, apart);
  EXPECT_EQ(best[2].class_name, "cat") << "another class is another object";
}

TEST(BestOf, HasOneOrderWhereverTheyComeFrom) {
  Sighting left{"dog", 0.5, {0.1, 0.1, 0.2, 0.2}}, right{"dog", 0.5, {0.11, 0.1, 0.2, 0.2}};
  EXPECT_EQ(best_of({left, right}, 0.3).at(0).box, left.box);
  EXPECT_EQ(best_of({right, left}, 0.3).at(0).box, left.box);
}

}  // namespace
}  // namespace gopline::analyzer
