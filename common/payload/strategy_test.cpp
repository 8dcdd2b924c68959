#include "common/payload/strategy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gopline::payload {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

Limits limits(bool has_store = false) {
  return {.record_bytes = 10 * kMiB, .inline_bytes = 4 * kMiB, .has_store = has_store};
}
Strategy automatic(std::uint64_t size, bool has_store, StrategySettings settings = {}) {
  return choose(size, limits(has_store), settings)->strategy;
}

TEST(Strategy, AutoGoesBySize) {
  EXPECT_EQ(automatic(0, false), Strategy::kInline);
  EXPECT_EQ(automatic(4 * kMiB, false), Strategy::kInline);
  EXPECT_EQ(automatic(4 * kMiB + 1, false), Strategy::kChunk);
  EXPECT_EQ(automatic(1000 * kMiB, false), Strategy::kChunk);
  EXPECT_EQ(automatic(31 * kMiB, true), Strategy::kChunk);
  EXPECT_EQ(automatic(64 * kMiB, true), Strategy::kClaim);
}

TEST(Strategy, AutoGoesBySettings) {
  StrategySettings settings;
  settings.inline_bytes = 100 * kMiB;
  EXPECT_EQ(automatic(10 * kMiB, true, settings), Strategy::kInline);
  EXPECT_EQ(automatic(10 * kMiB + 1, true, settings), Strategy::kChunk) << "no record takes it";
  settings.claim_bytes = kMiB;
  EXPECT_EQ(automatic(kMiB, true, settings), Strategy::kClaim);
  EXPECT_EQ(automatic(kMiB, false, settings), Strategy::kInline) << "there is no store";
}

TEST(Strategy, TheOneAskedForOrAnError) {
  StrategySettings settings;
  settings.strategy = Strategy::kInline;
  EXPECT_EQ(automatic(10 * kMiB, true, settings), Strategy::kInline);
  EXPECT_EQ(choose(10 * kMiB + 1, limits(), settings).error().code, ErrorCode::kTooLarge);
  settings.strategy = Strategy::kClaim;
  EXPECT_EQ(automatic(1, true, settings), Strategy::kClaim);
  EXPECT_EQ(choose(1, limits(), settings).error().code, ErrorCode::kInvalidArgument);
  settings.strategy = Strategy::kChunk;
  EXPECT_EQ(automatic(1, true, settings), Strategy::kChunk);
}

TEST(Strategy, AChunkFitsIntoARecord) {
  StrategySettings settings;
  settings.strategy = Strategy::kChunk;
  EXPECT_EQ(choose(9 * kMiB, limits(), settings)->chunk_bytes, 2 * kMiB);
  settings.chunk_bytes = 64 * kMiB;
  EXPECT_EQ(choose(90 * kMiB, limits(), settings)->chunk_bytes, 10 * kMiB);
}

TEST(Strategy, SaysWhy) {
  EXPECT_THAT(choose(9'100'000, limits(), {})->reason, ::testing::HasSubstr("9.1 MB"));
}

TEST(Strategy, IsSpelledAsItIsRead) {
  for (auto s : {Strategy::kAuto, Strategy::kInline, Strategy::kChunk, Strategy::kClaim}) {
    EXPECT_EQ(strategy_from(to_string(s)), s);
  }
  EXPECT_EQ(strategy_from("Inline").error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace gopline::payload
