#include "common/payload/compressibility.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace gopline::payload {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Buffer noise(std::size_t size) {
  std::mt19937 random(1);
  std::vector<std::uint8_t> bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return Buffer::take(std::move(bytes));
}
Buffer text(std::size_t size) {
  std::string out;
  for (int i = 0; out.size() < size; ++i) out += std::to_string(i * 7919) + ",door,open\n";
  return Buffer::copy(out.substr(0, size));
}

TEST(Compressibility, TextIsNoiseIsNot) {
  auto of_text = choose_compression(Compression::kAuto, "text/csv", {text(65536), text(65536)});
  EXPECT_TRUE(of_text.compress);
  EXPECT_THAT(of_text.reason, HasSubstr("131.1 kB shrinks to"));
  EXPECT_FALSE(choose_compression(Compression::kAuto, "text/csv", {noise(65536)}).compress);
  EXPECT_TRUE(choose_compression(Compression::kAuto, "application/octet-stream", {text(65536)}).compress);
  EXPECT_FALSE(choose_compression(Compression::kAuto, "text/csv", {}).compress);
}

TEST(Compressibility, WhatIsCompressedIsNotTriedAgain) {
  for (auto type : {"video/mp4", "audio/mpeg", "image/jpeg", "application/zip"}) {
    EXPECT_FALSE(choose_compression(Compression::kAuto, type, {text(65536)}).compress) << type;
  }
  EXPECT_TRUE(choose_compression(Compression::kAuto, "image/svg+xml", {text(65536)}).compress);
}

TEST(Compressibility, WhatIsAskedForIsDone) {
  EXPECT_TRUE(choose_compression(Compression::kZstd, "video/mp4", {noise(10)}).compress);
  EXPECT_FALSE(choose_compression(Compression::kNone, "text/csv", {text(65536)}).compress);
}

TEST(Compressibility, SamplesLieInside) {
  EXPECT_THAT(sample_offsets(0), ElementsAre(0));
  EXPECT_THAT(sample_offsets(3 * kSampleBytes), ElementsAre(0));
  EXPECT_THAT(sample_offsets(10 * kSampleBytes), ElementsAre(0, 9 * kSampleBytes / 2, 9 * kSampleBytes));
}

TEST(Compressibility, IsSpelledAsItIsRead) {
  for (auto c : {Compression::kAuto, Compression::kNone, Compression::kZstd}) {
    EXPECT_EQ(compression_from(to_string(c)), c);
  }
  EXPECT_FALSE(compression_from("gzip").has_value());
}

}  // namespace
}  // namespace gopline::payload
