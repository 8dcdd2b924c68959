#include "common/payload/prefetcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "common/payload/memory_store.h"

namespace gopline::payload {
namespace {

using Operation = MemoryBlobs::Operation;

class PrefetcherTest : public ::testing::Test {
 protected:
  // `count` blobs of `size` bytes, each of its own letter, under keys "0", "1" ...
  void put(int count, std::size_t size = 10) {
    for (int i = 0; i < count; ++i) {
      auto bytes = Buffer::copy(std::string(size, static_cast<char>('a' + i)));
      ASSERT_TRUE(store_->put(std::to_string(i), BufferChain(bytes), {}));
    }
  }
  PrefetchItem item(int i, std::size_t size = 10) const { return {store_, std::to_string(i), size}; }
  static std::string letters(int i, std::size_t size = 10) {
    return std::string(size, static_cast<char>('a' + i));
  }

  std::shared_ptr<MemoryBlobs> blobs_ = std::make_shared<MemoryBlobs>();
  std::shared_ptr<BlobStore> store_ = open_memory_store(blobs_);
};

TEST_F(PrefetcherTest, HandsOutInOrder) {
  put(20);
  Prefetcher prefetcher({.threads = 3, .most_bytes = 35});
  for (int i = 0; i < 20; ++i) prefetcher.add(item(i));
  for (int i = 0; i < 20; ++i) {
    auto bytes = prefetcher.next({});
    ASSERT_TRUE(bytes.has_value()) << bytes.error().message;
    EXPECT_EQ(bytes->text(), letters(i));
    EXPECT_EQ(prefetcher.pending(), 19u - static_cast<unsigned>(i));
  }
  EXPECT_EQ(prefetcher.next({}).error().code, ErrorCode::kNotFound);
}

TEST_F(PrefetcherTest, FetchesSeveralAtOnceWithinTheBound) {
  put(10);
  blobs_->hold(Operation::kGet);
  Prefetcher prefetcher({.threads = 8, .most_bytes = 39});
  for (int i = 0; i < 10; ++i) prefetcher.add(item(i));
  blobs_->await_held(Operation::kGet, 3);
  blobs_->release(Operation::kGet);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(prefetcher.next({})->text(), letters(i));
  EXPECT_EQ(blobs_->most_at_once(Operation::kGet), 3) << "four would be 40 bytes";
}

TEST_F(PrefetcherTest, WhatIsFetchedAndNotTakenCounts) {
  put(4);
  blobs_->hold(Operation::kGet);
  Prefetcher prefetcher({.threads = 2, .most_bytes = 20});
  for (int i = 0; i < 4; ++i) prefetcher.add(item(i));
  blobs_->await_held(Operation::kGet, 2);
  blobs_->release_one(Operation::kGet);
  blobs_->release_one(Operation::kGet);
  ASSERT_TRUE(prefetcher.next({}));  // room for a third, and for no fourth
  while (blobs_->calls(Operation::kGet) < 3) std::this_thread::yield();
  blobs_->await_held(Operation::kGet, 1);
  EXPECT_EQ(blobs_->calls(Operation::kGet), 3);
  blobs_->release(Operation::kGet);
  for (int i = 1; i < 4; ++i) EXPECT_EQ(prefetcher.next({})->text(), letters(i));
}

TEST_F(PrefetcherTest, ABlobLargerThanTheBoundComesAlone) {
  put(3, 100);
  Prefetcher prefetcher({.threads = 4, .most_bytes = 10});
  for (int i = 0; i < 3; ++i) prefetcher.add(item(i, 100));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(prefetcher.next({})->text(), letters(i, 100));
  EXPECT_EQ(blobs_->most_at_once(Operation::kGet), 1);
}

TEST_F(PrefetcherTest, AnErrorIsThatOfItsBlobAlone) {
  put(3);
  Prefetcher prefetcher({.threads = 2, .most_bytes = 10});
  prefetcher.add(item(0));
  prefetcher.add(item(7));
  prefetcher.add(item(2));
  EXPECT_EQ(prefetcher.next({})->text(), letters(0));
  EXPECT_EQ(prefetcher.next({}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(prefetcher.next({})->text(), letters(2));
}

TEST_F(PrefetcherTest, AStoppedCallLeavesTheBlobNext) {
  put(2);
  blobs_->hold(Operation::kGet);
  Prefetcher prefetcher;
  prefetcher.add(item(0));
  StopSource stop;
  std::thread stopper([&] {
    blobs_->await_held(Operation::kGet, 1);
    stop.request_stop();
  });
  EXPECT_EQ(prefetcher.next(stop.get_token()).error().code, ErrorCode::kCancelled);
  stopper.join();
  blobs_->release(Operation::kGet);
  EXPECT_EQ(prefetcher.next({})->text(), letters(0));
}

TEST_F(PrefetcherTest, ClearStopsWhatIsUnderWay) {
  put(4);
  blobs_->hold(Operation::kGet);
  Prefetcher prefetcher({.threads = 2, .most_bytes = 20});
  for (int i = 0; i < 3; ++i) prefetcher.add(item(i));
  blobs_->await_held(Operation::kGet, 2);
  prefetcher.clear();
  EXPECT_EQ(prefetcher.pending(), 0u);
  blobs_->release(Operation::kGet);
  prefetcher.add(item(3));
  EXPECT_EQ(prefetcher.next({})->text(), letters(3));
}

TEST_F(PrefetcherTest, ClearEndsAWaitingNext) {
  put(1);
  blobs_->hold(Operation::kGet);
  Prefetcher prefetcher;
  prefetcher.add(item(0));
  std::thread clearer([&] {
    blobs_->await_held(Operation::kGet, 1);
    prefetcher.clear();
  });
  EXPECT_EQ(prefetcher.next({}).error().code, ErrorCode::kNotFound);
  clearer.join();
}

TEST_F(PrefetcherTest, EndsWhileFetching) {
  put(4);
  blobs_->hold(Operation::kGet);
  {
    Prefetcher prefetcher({.threads = 2, .most_bytes = 20});
    for (int i = 0; i < 4; ++i) prefetcher.add(item(i));
    blobs_->await_held(Operation::kGet, 2);
  }
  EXPECT_EQ(blobs_->calls(Operation::kGet), 2);
}

}  // namespace
}  // namespace gopline::payload
