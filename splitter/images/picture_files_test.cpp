#include "splitter/images/picture_files.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/test_directory.h"

namespace gopline::splitter {
namespace {

using ::testing::ElementsAre;

class Pictures : public ::testing::Test {
 protected:
  void touch(std::initializer_list<const char*> names) {
    for (const auto* name : names) std::ofstream(folder_ / name) << "x";
  }
  std::vector<std::string> names(const std::string& source) {
    auto files = picture_files_of(source);
    if (!files) return {"none"};
    auto found = names_of(*files);
    return found ? *found : std::vector<std::string>{found.error().message};
  }
  TestDirectory folder_;
};

TEST_F(Pictures, AFolderHasThemInNaturalOrder) {
  touch({"10.jpg", "9.jpg", "b1.PNG", "a.tiff", "b01.png", "notes.txt", ".hidden.jpg", "half.jpg.part"});
  EXPECT_THAT(names(folder_.path()), ElementsAre("9.jpg", "10.jpg", "a.tiff", "b1.PNG", "b01.png"));
}

TEST_F(Pictures, Numbers) {
  touch({"f-0002.png", "f-0010.png", "f-12345.png", "f-1.png", "g-0001.png", "f-0003.jpg", "f-00x1.png"});
  EXPECT_THAT(names(folder_ / "f-%04d.png"), ElementsAre("f-0002.png", "f-0010.png", "f-12345.png"));
  EXPECT_THAT(names(folder_ / "f-%d.png"), ElementsAre("f-1.png", "f-0002.png", "f-0010.png", "f-12345.png"));
}

TEST_F(Pictures, Patterns) {
  touch({"a1.jpg", "a2.jpg", "b1.jpg", ".a3.jpg"});
  EXPECT_THAT(names(folder_ / "a?.jpg"), ElementsAre("a1.jpg", "a2.jpg"));
  EXPECT_THAT(names(folder_ / "*1.*"), ElementsAre("a1.jpg", "b1.jpg"));
}

TEST_F(Pictures, OneFile) {
  touch({"a1.jpg", "a2.jpg", "clip.mp4"});
  EXPECT_THAT(names(folder_ / "a2.jpg"), ElementsAre("a2.jpg"));
  EXPECT_THAT(names(folder_ / "clip.mp4"), ElementsAre("none"));
}

TEST_F(Pictures, OtherSourcesAreNone) {
  for (const auto* source : {"-", "rtsp://camera/1", "http://host/*.jpg", "missing.jpg", ""})
    EXPECT_FALSE(picture_files_of(source)) << source;
}

TEST_F(Pictures, AFolderThatIsNotThereIsNamed) {
  auto found = names_of(*picture_files_of(folder_ / "away/%d.png"));
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, ::testing::HasSubstr("away"));
  EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
}

TEST(NaturalOrder, NumbersCompareAsNumbers) {
  EXPECT_TRUE(comes_before("a2b", "a10a"));
  EXPECT_FALSE(comes_before("a10a", "a2b"));
  EXPECT_TRUE(comes_before("a", "a1"));
  EXPECT_TRUE(comes_before("01", "1"));
  EXPECT_FALSE(comes_before("1", "01"));
  EXPECT_FALSE(comes_before("same7", "same7"));
  EXPECT_TRUE(comes_before("9", "10000000000000000000000"));
}

}  // namespace
}  // namespace gopline::splitter
