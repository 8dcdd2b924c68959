#include "splitter/images/picture_folder.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/test_directory.h"

namespace gopline::splitter {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

class Folder : public ::testing::TestWithParam<FolderNews> {
 protected:
  std::unique_ptr<PictureFolder> open(bool new_only = false) {
    auto folder = PictureFolder::open(*picture_files_of(folder_.path()),
                                      {new_only, GetParam(), std::chrono::milliseconds(1)});
    EXPECT_TRUE(folder) << folder.error().message;
    return std::move(*folder);
  }
  void write(const std::string& name, const std::string& text = "x") {
    std::ofstream(folder_ / name) << text;
  }
  // So many names, however many calls they take.
  std::vector<std::string> names(PictureFolder& folder, std::size_t count) {
    std::vector<std::string> names;
    while (names.size() < count) {
      auto found = folder.next({});
      EXPECT_TRUE(found) << found.error().message;
      if (!found) break;
      for (const auto& path : *found) names.push_back(fs::path(path).filename().string());
    }
    return names;
  }
  TestDirectory folder_;
};

TEST_P(Folder, WhatIsThereComesFirstAndThenWhatComes) {
  write("2.jpg");
  write("10.jpg");
  write("notes.txt");
  auto folder = open();
  EXPECT_THAT(names(*folder, 2), ElementsAre("2.jpg", "10.jpg"));
  write("1.jpg");
  EXPECT_THAT(names(*folder, 1), ElementsAre("1.jpg"));
}

TEST_P(Folder, NewOnesAlone) {
  write("1.jpg");
  auto folder = open(true);
  write("2.jpg");
  EXPECT_THAT(names(*folder, 1), ElementsAre("2.jpg"));
  write("1.jpg", "written again");
  EXPECT_THAT(names(*folder, 1), ElementsAre("1.jpg"));
}

TEST_P(Folder, AFileIsTakenWhenItHasItsName) {
  auto folder = open();
  write("1.jpg.part", "half");
  fs::rename(folder_ / "1.jpg.part", folder_ / "1.jpg");
  EXPECT_THAT(names(*folder, 1), ElementsAre("1.jpg"));
}

TEST_P(Folder, OneThatIsWrittenAgainIsAnother) {
  auto folder = open();
  write("live.jpg", "first");
  EXPECT_THAT(names(*folder, 1), ElementsAre("live.jpg"));
  write("live.jpg", "the second one");
  EXPECT_THAT(names(*folder, 1), ElementsAre("live.jpg"));
}

TEST_P(Folder, StoppingWakes) {
  auto folder = open();
  StopSource stop;
  std::thread stopper([&] { stop.request_stop(); });
  auto found = folder->next(stop.get_token());
  stopper.join();
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->empty());
}

TEST_P(Folder, AFolderThatGoesIsNamed) {
  auto folder = open();
  fs::remove_all(folder_.path());
  auto found = folder->next({});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(found.error().message, ::testing::HasSubstr(folder_.path()));
}

INSTANTIATE_TEST_SUITE_P(PictureFolder, Folder, ::testing::Values(FolderNews::kEvents, FolderNews::kLooks),
                         [](const auto& one) {
                           return one.param == FolderNews::kEvents ? "Events" : "Looks";
                         });

TEST(PictureFolder, AFileThatIsStillOpenWaits) {
  TestDirectory directory;
  auto folder = *PictureFolder::open(*picture_files_of(directory.path()), {false, FolderNews::kEvents, {}});
  std::ofstream slow(directory / "1.jpg");
  slow << "half" << std::flush;
  std::ofstream(directory / "2.jpg") << "whole";
  auto found = folder->next({});
  ASSERT_TRUE(found);
  // The first look lists what is there; it may be incomplete then, and comes again when it is closed.
  std::vector<std::string> seen(*found);
  slow << "rest";
  slow.close();
  while (seen.back() != directory / "1.jpg") {
    found = folder->next({});
    ASSERT_TRUE(found);
    seen.insert(seen.end(), found->begin(), found->end());
  }
  EXPECT_EQ(fs::file_size(seen.back()), 8u);
}

}  // namespace
}  // namespace gopline::splitter
