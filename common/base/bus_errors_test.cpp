#include "common/base/bus_errors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "common/base/test_directory.h"

namespace gopline {
namespace {

constexpr std::size_t kPage = 4096;

// A file of 0x55 that is mapped.
class BusErrorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = folder_ / "file";
    std::ofstream(path_) << std::string(4 * kPage, 'U');
    int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    auto* memory = mmap(nullptr, 4 * kPage, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    ASSERT_NE(memory, MAP_FAILED);
    bytes_ = {static_cast<const std::uint8_t*>(memory), 4 * kPage};
  }
  void TearDown() override { munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size()); }

  // A read that no compiler leaves out.
  std::uint8_t at(std::size_t offset) const {
    return *static_cast<const volatile std::uint8_t*>(bytes_.data() + offset);
  }

  TestDirectory folder_;
  std::string path_;
  std::span<const std::uint8_t> bytes_;
  std::atomic<bool> damaged_ = false;
};

TEST_F(BusErrorsTest, WhatIsThereIsReadAsItIs) {
  auto watched = WatchedRange::watch(bytes_, damaged_);
  ASSERT_TRUE(watched);
  EXPECT_EQ(at(0), 'U');
  EXPECT_EQ(at(4 * kPage - 1), 'U');
  EXPECT_FALSE(damaged_);
}

TEST_F(BusErrorsTest, APageThatIsGoneIsZeroAndIsCounted) {
  auto watched = WatchedRange::watch(bytes_, damaged_);
  auto before = bus_errors_of_this_thread();
  MappedReads reads;
  ASSERT_EQ(truncate(path_.c_str(), kPage), 0);
  EXPECT_EQ(at(kPage - 1), 'U');
  EXPECT_FALSE(damaged_);
  EXPECT_TRUE(reads.were_whole());
  EXPECT_EQ(at(2 * kPage), 0);
  EXPECT_EQ(reads.were_whole().error().message, "the source was cut off while it was read");
  EXPECT_TRUE(damaged_);
  EXPECT_EQ(at(2 * kPage + 1), 0) << "a page is met once";
  EXPECT_EQ(bus_errors_of_this_thread(), before + 1);
  std::thread([] {
    EXPECT_EQ(bus_errors_of_this_thread(), 0u) << "of another thread nothing is said";
  }).join();
}

TEST_F(BusErrorsTest, OutsideOfWatchedRangesTheProgramEndsAsBefore) {
  EXPECT_DEATH(
      {
        { auto watched = WatchedRange::watch(bytes_, damaged_); }
        if (truncate(path_.c_str(), kPage) != 0) std::_Exit(0);
        static_cast<void>(at(2 * kPage));
        std::_Exit(0);
      },
      "");
}

TEST_F(BusErrorsTest, WhenThereIsNoRoomNothingIsWatchedAndWhatEndsMakesRoom) {
  std::vector<WatchedRange> all;
  for (;;) {
    auto watched = WatchedRange::watch(bytes_, damaged_);
    if (!watched) break;
    all.push_back(std::move(*watched));
    ASSERT_LT(all.size(), 1u << 20);
  }
  EXPECT_FALSE(WatchedRange::watch(bytes_, damaged_));
  all.pop_back();
  EXPECT_TRUE(WatchedRange::watch(bytes_, damaged_));
}

}  // namespace
}  // namespace gopline
