#include "bench/segments/payload_set.h"

#include <gtest/gtest.h>

#include "common/bytes/digest.h"

namespace gopline::bench {
namespace {

TEST(PayloadSet, RandomPayloadsHaveTheirSizeWithTheirMark) {
  for (std::uint64_t bytes : {128, 1000, 16'000, 1'000'000}) {
    auto set = PayloadSet::random(bytes);
    EXPECT_EQ(set->segment({1, 0, 0}).bytes.size(), bytes);
    EXPECT_EQ(set->plain(0).size(), bytes);
    EXPECT_EQ(set->mean_bytes(), bytes);
    EXPECT_LT(set->held_bytes(), bytes + 300'000);
  }
}

TEST(PayloadSet, NoTwoThatAreSentAreTheSame) {
  auto set = PayloadSet::random(1000);
  std::set<std::string> digests;
  for (std::int64_t i = 0; i < 200; ++i) digests.insert(sha256_hex(set->segment({1, 0, i}).bytes));
  digests.insert(sha256_hex(set->segment({1, 1, 0}).bytes));
  digests.insert(sha256_hex(set->segment({2, 0, 0}).bytes));
  EXPECT_EQ(digests.size(), 202U);
}

TEST(PayloadSet, KnowsItsOwn) {
  auto set = PayloadSet::random(1000);
  auto sent = set->segment({7, 1, 5}).bytes;
  EXPECT_TRUE(set->is_segment(sent, {7, 1, 5}));
  EXPECT_FALSE(set->is_segment(sent, {7, 1, 6}));
  EXPECT_FALSE(set->is_segment(sent, {7, 0, 5}));
  EXPECT_FALSE(set->is_segment(sent, {8, 1, 5}));
  EXPECT_FALSE(set->is_segment(sent.share(0, 999), {7, 1, 5}));
  EXPECT_TRUE(set->is_plain(set->plain(3).bytes(), 3));
  EXPECT_FALSE(set->is_plain(set->plain(3).bytes(), 4));
}

TEST(PayloadSet, VideoIsCutAsTold) {
  std::string clip = GOPLINE_SOURCE_DIR "/media/street.mp4";
  auto shorter = PayloadSet::video(clip, std::chrono::milliseconds(500), 4'000'000, {});
  auto longer = PayloadSet::video(clip, std::chrono::seconds(2), 4'000'000, {});
  ASSERT_TRUE(shorter.has_value()) << shorter.error().message;
  ASSERT_TRUE(longer.has_value()) << longer.error().message;
  EXPECT_LE((*shorter)->mean_bytes(), (*longer)->mean_bytes());
  EXPECT_GE((*longer)->count(), 3U);
  EXPECT_FALSE((*longer)->epoch().tracks.empty());
  auto sent = (*longer)->segment({1, 0, 4});
  EXPECT_EQ(sent.bytes.size(), (*longer)->plain(4).size());
  EXPECT_TRUE((*longer)->is_segment(sent.bytes, {1, 0, 4}));
}

TEST(PayloadSet, AFileThatIsNoVideoIsAnError) {
  EXPECT_FALSE(
      PayloadSet::video(GOPLINE_SOURCE_DIR "/README.md", std::chrono::seconds(1), 1, {}).has_value());
}

}  // namespace
}  // namespace gopline::bench
