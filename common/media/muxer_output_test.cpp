#include "common/media/muxer_output.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "common/base/test_directory.h"

namespace gopline::media {
namespace {

using Care = OutputTarget::Care;

std::string contents(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Result<void> write(OutputTarget& target, std::string_view text) {
  return target.write(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

class DurableTarget : public ::testing::Test {
 protected:
  std::unique_ptr<OutputTarget> open() { return *OutputTarget::open(path_, Care::kDurable); }
  bool is_locked() {
    int file = ::open(part_.c_str(), O_RDONLY);
    bool locked = ::flock(file, LOCK_SH | LOCK_NB) != 0;
    ::close(file);
    return locked;
  }
  TestDirectory directory_;
  const std::string path_ = directory_ / "file", part_ = path_ + ".part";
};

TEST_F(DurableTarget, TakesItsNameWhenItIsCommittedAndIsLockedBefore) {
  auto target = open();
  ASSERT_TRUE(write(*target, std::string(20 << 20, 'x')));
  EXPECT_TRUE(is_locked());
  EXPECT_FALSE(std::filesystem::exists(path_));
  ASSERT_TRUE(target->commit());
  EXPECT_EQ(std::filesystem::file_size(path_), 20u << 20);
  EXPECT_FALSE(std::filesystem::exists(part_));
}

TEST_F(DurableTarget, WhatTheDeadLeftMakesRoom) {
  std::ofstream(part_) << "longer than what comes";
  auto target = open();
  ASSERT_TRUE(write(*target, "new"));
  ASSERT_TRUE(target->commit());
  EXPECT_EQ(contents(path_), "new");
}

TEST_F(DurableTarget, OfTwoTheLaterOneHasTheName) {
  auto first = open();
  ASSERT_TRUE(write(*first, "first"));
  auto second = open();
  ASSERT_TRUE(write(*second, "second"));
  EXPECT_EQ(first->commit().error().code, ErrorCode::kConflict);
  first.reset();
  EXPECT_TRUE(std::filesystem::exists(part_)) << "it is the other's";
  ASSERT_TRUE(second->commit());
  EXPECT_EQ(contents(path_), "second");
}

TEST_F(DurableTarget, WithoutCommitNothingIsLeft) {
  auto target = open();
  ASSERT_TRUE(write(*target, "text"));
  target.reset();
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

}  // namespace
}  // namespace gopline::media
