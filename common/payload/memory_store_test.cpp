#include "common/payload/memory_store.h"

#include "common/payload/blob_store_contract.h"

namespace gopline::payload {
namespace {

using Operation = MemoryBlobs::Operation;

class MemoryUnderTest final : public StoreUnderTest {
 public:
  std::unique_ptr<BlobStore> open() override { return open_memory_store(blobs_); }
  void set_modified(const std::string& key, Timestamp time) override { blobs_->set_modified(key, time); }
  void damage(const std::string& key) override { blobs_->cut(key); }

 private:
  std::shared_ptr<MemoryBlobs> blobs_ = std::make_shared<MemoryBlobs>();
};

INSTANTIATE_TEST_SUITE_P(Memory, BlobStoreContract, testing::Values([]() -> std::unique_ptr<StoreUnderTest> {
                           return std::make_unique<MemoryUnderTest>();
                         }));

class MemoryStoreLevers : public ::testing::Test {
 protected:
  std::shared_ptr<MemoryBlobs> blobs_ = std::make_shared<MemoryBlobs>();
  std::unique_ptr<BlobStore> store_ = open_memory_store(blobs_);
  BufferChain bytes_{Buffer::copy("hello")};
};

TEST_F(MemoryStoreLevers, FailsAsOftenAsItIsTold) {
  blobs_->fail_next(Operation::kPut, 2, {ErrorCode::kUnavailable, "503"});
  for (int i = 0; i < 2; ++i) {
    auto put = store_->put("k", bytes_, {});
    ASSERT_FALSE(put.has_value());
    EXPECT_EQ(put.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(put.error().message, "memory://blobs/k: 503");
  }
  EXPECT_TRUE(store_->put("k", bytes_, {}).has_value());
  EXPECT_EQ(blobs_->calls(Operation::kPut), 3);
}

TEST_F(MemoryStoreLevers, HoldsCallsUntilTheyAreReleasedOrStopped) {
  ASSERT_TRUE(store_->put("k", bytes_, {}));
  blobs_->hold(Operation::kGet);
  StopSource stop;
  std::thread released([&] { EXPECT_TRUE(store_->get("k", {0, 5}, {}).has_value()); });
  blobs_->await_held(Operation::kGet, 1);
  std::thread stopped([&] {
    EXPECT_EQ(store_->get("k", {0, 5}, stop.get_token()).error().code, ErrorCode::kCancelled);
  });
  blobs_->await_held(Operation::kGet, 2);
  stop.request_stop();
  stopped.join();
  blobs_->release(Operation::kGet);
  released.join();
  EXPECT_EQ(blobs_->most_at_once(Operation::kGet), 2);
}

TEST_F(MemoryStoreLevers, FlipsABit) {
  ASSERT_TRUE(store_->put("k", bytes_, {}));
  blobs_->flip("k");
  EXPECT_EQ(store_->get("k", {0, 5}, {})->text(), "iello");
}

}  // namespace
}  // namespace gopline::payload
