#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/bytes/digest.h"
#include "common/payload/blob_key.h"
#include "common/payload/blob_store.h"

// What every store has to do. A store's test says
//   INSTANTIATE_TEST_SUITE_P(NAME, BlobStoreContract, testing::Values(FACTORY))
// with something that makes an empty store and can open it once more, as another process would.
namespace gopline::payload {

class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual std::unique_ptr<BlobStore> open() = 0;
  virtual void set_modified(const std::string& key, Timestamp time) = 0;  // behind the store's back
  virtual void damage(const std::string& key) = 0;                        // cuts the blob's last byte off
  virtual bool has_urls() const { return false; }                         // that anybody may fetch
};

using StoreFactory = std::unique_ptr<StoreUnderTest> (*)();

class BlobStoreContract : public ::testing::TestWithParam<StoreFactory> {
 protected:
  // Bytes that differ by `seed`, and the key that they have.
  static BufferChain bytes_of(std::size_t size, unsigned seed) {
    std::vector<std::uint8_t> bytes(size);
    std::uint64_t state = seed * 0x9e3779b97f4a7c15U + 1;
    for (auto& byte : bytes) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      byte = static_cast<std::uint8_t>(state >> 56);
    }
    auto whole = Buffer::take(std::move(bytes));
    BufferChain chain;  // in several buffers, as segments are
    chain.append(whole.share(0, size / 3));
    chain.append(whole.share(size / 3, size - size / 3));
    return chain;
  }
  static std::string key_for(const BufferChain& bytes, const std::string& stream = "site-7/door 2",
                             const std::string& hour = "2026-11-22T18") {
    return to_text({"gopline", stream, hour, sha256_hex(bytes)});
  }
  std::string put(const BufferChain& bytes, const std::string& stream = "site-7/door 2",
                  const std::string& hour = "2026-11-22T18") {
    auto key = key_for(bytes, stream, hour);
    auto done = store_->put(key, bytes, {});
    EXPECT_TRUE(done.has_value()) << (done ? "" : done.error().message);
    return key;
  }
  std::vector<std::string> keys(const std::string& prefix = "") {
    std::vector<std::string> found;
    auto listed =
        store_->list(prefix, [&](const BlobInfo& blob) { return found.push_back(blob.key), true; }, {});
    EXPECT_TRUE(listed.has_value()) << (listed ? "" : listed.error().message);
    return found;
  }

  std::unique_ptr<StoreUnderTest> under_test_ = GetParam()();
  std::unique_ptr<BlobStore> store_ = under_test_->open();
};

TEST_P(BlobStoreContract, GivesBackWhatWasPut) {
  for (std::size_t size : {std::size_t(0), std::size_t(1), std::size_t(100'000), std::size_t(20'000'000)}) {
    auto bytes = bytes_of(size, 1);
    auto key = key_for(bytes);
    auto put = store_->put(key, bytes, {});
    ASSERT_TRUE(put.has_value()) << put.error().message;
    EXPECT_FALSE(put->was_present);
    EXPECT_EQ(put->uri, store_->uri_of(key));
    EXPECT_EQ(store_->key_of(put->uri), key);
    auto other = under_test_->open();  // as another process
    auto info = other->stat(key, {});
    ASSERT_TRUE(info.has_value()) << info.error().message;
    EXPECT_EQ(info->size, size);
    auto whole = other->get(key, {0, size}, {});
    ASSERT_TRUE(whole.has_value()) << whole.error().message;
    EXPECT_EQ(*whole, bytes.flatten());
  }
}

TEST_P(BlobStoreContract, GivesRanges) {
  auto bytes = bytes_of(100'000, 2);
  auto key = put(bytes);
  auto whole = bytes.flatten();
  for (auto [offset, size] : std::vector<std::pair<std::size_t, std::size_t>>{
           {0, 1}, {99'999, 1}, {100'000, 0}, {1, 99'999}, {33'000, 34'000}}) {
    auto range = store_->get(key, {offset, size}, {});
    ASSERT_TRUE(range.has_value()) << range.error().message;
    EXPECT_EQ(*range, whole.share(offset, size));
  }
}

TEST_P(BlobStoreContract, ARangeBeyondTheEndIsCorrupt) {
  auto key = put(bytes_of(1000, 3));
  EXPECT_EQ(store_->get(key, {0, 1001}, {}).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(store_->get(key, {2000, 1}, {}).error().code, ErrorCode::kCorrupt);
  under_test_->damage(key);
  auto cut = store_->get(key, {0, 1000}, {});
  ASSERT_FALSE(cut.has_value());
  EXPECT_EQ(cut.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(cut.error().message, testing::HasSubstr(store_->uri_of(key)));
}

TEST_P(BlobStoreContract, WhatIsNotThereIsNotFound) {
  auto key = key_for(bytes_of(10, 4));
  auto got = store_->get(key, {0, 10}, {});
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(got.error().message, testing::HasSubstr(store_->uri_of(key)));
  EXPECT_EQ(store_->stat(key, {}).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(store_->remove(key, {}).has_value());
  EXPECT_THAT(keys(), testing::IsEmpty());
}

TEST_P(BlobStoreContract, ASecondPutSendsNothingAndRenewsTheAge) {
  auto bytes = bytes_of(100'000, 5);
  auto key = put(bytes);
  auto old = Timestamp(std::chrono::seconds(1'000'000'000));
  under_test_->set_modified(key, old);
  EXPECT_EQ(store_->stat(key, {})->modified, old);
  auto again = store_->put(key, bytes, {});
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_TRUE(again->was_present);
  EXPECT_GT(store_->stat(key, {})->modified, old + std::chrono::hours(24));
  EXPECT_EQ(store_->get(key, {0, 100'000}, {}), bytes.flatten());
}

TEST_P(BlobStoreContract, AHalfBlobUnderTheKeyIsReplaced) {
  auto bytes = bytes_of(100'000, 6);
  auto key = put(bytes);
  under_test_->damage(key);
  auto again = store_->put(key, bytes, {});
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_FALSE(again->was_present);
  EXPECT_EQ(store_->get(key, {0, 100'000}, {}), bytes.flatten());
}

TEST_P(BlobStoreContract, ListsByPrefixInOrder) {
  std::vector<std::string> expected;
  for (unsigned i = 0; i < 30; ++i) {
    expected.push_back(
        put(bytes_of(10, 100 + i), i % 2 ? "a" : "b/c", "2026-11-22T0" + std::to_string(i % 3)));
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(keys(), expected);
  std::erase_if(expected, [](const auto& key) { return !key.starts_with("gopline/a/2026-11-22T01"); });
  EXPECT_EQ(keys("gopline/a/2026-11-22T01"), expected);
  EXPECT_THAT(keys("elsewhere/"), testing::IsEmpty());
  int seen = 0;
  ASSERT_TRUE(store_->list("", [&](const BlobInfo&) { return ++seen < 3; }, {}));
  EXPECT_EQ(seen, 3) << "false ends it";
}

TEST_P(BlobStoreContract, RemovesForGood) {
  auto key = put(bytes_of(10, 7));
  auto other = put(bytes_of(10, 8));
  ASSERT_TRUE(store_->remove(key, {}));
  EXPECT_EQ(under_test_->open()->get(key, {0, 10}, {}).error().code, ErrorCode::kNotFound);
  EXPECT_THAT(keys(), testing::ElementsAre(other));
}

TEST_P(BlobStoreContract, ManyPutTheSameAndOthersAtOnce) {
  auto shared = bytes_of(3'000'000, 9);
  auto shared_key = key_for(shared);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      auto own = bytes_of(1'000'000 + t, 200 + t);
      for (int i = 0; i < 3; ++i) {
        auto again = store_->put(shared_key, shared, {});
        EXPECT_TRUE(again.has_value()) << again.error().message;
        auto alone = store_->put(key_for(own), own, {});
        EXPECT_TRUE(alone.has_value()) << alone.error().message;
        EXPECT_EQ(store_->get(key_for(own), {0, own.size()}, {}), own.flatten());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(keys().size(), 7u);
  EXPECT_EQ(store_->get(shared_key, {0, shared.size()}, {}), shared.flatten());
}

TEST_P(BlobStoreContract, AStopEndsACall) {
  StopSource stop;
  stop.request_stop();
  auto bytes = bytes_of(1000, 10);
  auto put = store_->put(key_for(bytes), bytes, stop.get_token());
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, ErrorCode::kCancelled);
  EXPECT_THAT(keys(), testing::IsEmpty());
}

TEST_P(BlobStoreContract, ForeignUrisAreNotItsOwn) {
  EXPECT_EQ(store_->key_of("https://example.org/x").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(store_->key_of("").error().code, ErrorCode::kInvalidArgument);
}

TEST_P(BlobStoreContract, PresignsWhereAnybodyMayFetch) {
  auto key = put(bytes_of(10, 11));
  auto url = store_->presign(key, std::chrono::minutes(5));
  if (under_test_->has_urls()) {
    ASSERT_TRUE(url.has_value()) << url.error().message;
    EXPECT_THAT(*url, testing::StartsWith("http"));
  } else {
    EXPECT_EQ(url.error().code, ErrorCode::kUnsupported);
  }
}

}  // namespace gopline::payload
