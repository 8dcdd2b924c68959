// Claim checks: a payload is durable before its reference is written, and references keep their order.
#include "common/bytes/digest.h"
#include "common/payload/memory_store.h"
#include "splitter/publisher_fixture.h"

namespace gopline::splitter {
namespace {

using payload::MemoryBlobs;
using payload::Strategy;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ClaimsTest : public PublisherTest {
 protected:
  PublisherOptions claiming(Strategy strategy = Strategy::kClaim) {
    auto o = options();
    o.payload.strategy = strategy;
    o.blobs = store_.get();
    return o;
  }
  std::vector<std::string> blobs() {
    std::vector<std::string> keys;
    EXPECT_TRUE(
        store_->list("", [&](const payload::BlobInfo& blob) { return keys.push_back(blob.key), true; }, {}));
    return keys;
  }

  std::shared_ptr<MemoryBlobs> contents_ = std::make_shared<MemoryBlobs>();
  std::unique_ptr<payload::BlobStore> store_ = payload::open_memory_store(contents_);
};

TEST_F(ClaimsTest, TheRecordRefersAndTheStoreKeeps) {
  auto publisher = open(claiming());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(publish(*publisher, i));
  auto summary = publisher->close(EndCause::kEndOfInput).value();
  EXPECT_EQ(summary.segments, 3);
  EXPECT_EQ(summary.bytes, 3000u);
  EXPECT_EQ(summary.strategies.at(Strategy::kClaim).payloads, 3);
  EXPECT_THAT(blobs(), SizeIs(3));
  auto all = chunks();
  ASSERT_THAT(all, SizeIs(3));
  for (int i = 0; i < 3; ++i) {
    const auto& h = all[static_cast<std::size_t>(i)];
    EXPECT_EQ(h.segment, SegmentNumber(i));
    EXPECT_TRUE(h.last_chunk);
    EXPECT_EQ(h.size, 1000u);
    ASSERT_TRUE(h.dataref.has_value());
    EXPECT_EQ(h.xxh3, xxh3_hex(BufferChain()));
    auto key = store_->key_of(h.dataref->uri).value();
    EXPECT_THAT(key, testing::StartsWith("gopline/site-7%2Fdoor-2/2026-11-22T12/"));
    auto bytes = store_->get(key, {0, h.dataref->size}, {}).value();
    EXPECT_EQ(bytes, segment(i).bytes.flatten());
    EXPECT_EQ(h.dataref->xxh3, xxh3_hex(bytes.bytes()));
    EXPECT_EQ(index()[static_cast<std::size_t>(i)].dataref, h.dataref->uri);
    EXPECT_THAT(index()[static_cast<std::size_t>(i)].parts, SizeIs(1))
        << "a server finds fragments in the blob";
  }
  EXPECT_EQ(assemble().segments, 3u);
}

TEST_F(ClaimsTest, NoReferenceBeforeItsPayload) {
  contents_->hold(MemoryBlobs::Operation::kPut);
  auto publisher = open(claiming());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(publish(*publisher, i));
  contents_->await_held(MemoryBlobs::Operation::kPut, 3);
  EXPECT_THAT(chunks(), IsEmpty());
  // Whichever ends first: a reference waits for those before it.
  contents_->release(MemoryBlobs::Operation::kPut);
  ASSERT_TRUE(publisher->close(EndCause::kEndOfInput));
  std::vector<std::int64_t> numbers;
  for (const auto& h : chunks()) numbers.push_back(h.segment.value);
  EXPECT_THAT(numbers, ElementsAre(0, 1, 2));
}

TEST_F(ClaimsTest, StrategiesChangeInMidStreamAndKeepTheOrder) {
  auto o = claiming(Strategy::kAuto);
  o.payload.claim_bytes = 5000;
  o.payload.inline_bytes = 1000;
  o.payload.chunk_bytes = 400;
  contents_->hold(MemoryBlobs::Operation::kPut);
  auto publisher = open(o);
  ASSERT_TRUE(publish(*publisher, 0, 6000));  // claim
  ASSERT_TRUE(publish(*publisher, 1, 1000));  // inline
  ASSERT_TRUE(publisher->gap(GapCause::kClock, time_of(2), time_of(3), 5));
  ASSERT_TRUE(publish(*publisher, 2, 1200));  // chunks
  ASSERT_TRUE(publish(*publisher, 3, 5000));  // claim
  contents_->await_held(MemoryBlobs::Operation::kPut, 2);
  EXPECT_THAT(types("gopline.segments"), ElementsAre("epoch.started")) << "all wait for the first";
  contents_->release(MemoryBlobs::Operation::kPut);
  ASSERT_TRUE(publisher->close(EndCause::kEndOfInput));
  EXPECT_THAT(types("gopline.segments"), ElementsAre("epoch.started", "segment", "segment", "gap", "segment",
                                                     "segment", "segment", "segment", "epoch.ended"));
  std::vector<std::string> way;
  for (const auto& h : chunks())
    way.push_back(fmt::format("{}-{}{}", h.segment, h.chunk, h.dataref ? "*" : ""));
  EXPECT_THAT(way, ElementsAre("0-0*", "1-0", "2-0", "2-1", "2-2", "3-0*"));
  EXPECT_EQ(assemble().segments, 4u);
}

TEST_F(ClaimsTest, APayloadThatTheStoreRefusesIsAGapAndNothingFollowsIt) {
  contents_->hold(MemoryBlobs::Operation::kPut);
  auto publisher = open(claiming());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(publish(*publisher, i));
  contents_->await_held(MemoryBlobs::Operation::kPut, 3);
  contents_->fail_next(MemoryBlobs::Operation::kPut, 1, {ErrorCode::kOutOfSpace, "the bucket is full"});
  Result<void> refused = publish(*publisher, 3);  // is put fourth, and fails at once
  contents_->release(MemoryBlobs::Operation::kPut);
  auto closed = publisher->close(EndCause::kEndOfInput);
  ASSERT_FALSE(closed.has_value());
  EXPECT_EQ(closed.error().code, ErrorCode::kOutOfSpace);
  EXPECT_THAT(closed.error().message, testing::HasSubstr("the bucket is full"));
  auto written = types("gopline.segments");
  EXPECT_EQ(written.front(), "epoch.started");
  EXPECT_EQ(written.back(), "epoch.ended");
  EXPECT_EQ(written[written.size() - 2], "gap") << "what was not stored is said";
  std::int64_t next = 0;
  for (const auto& h : chunks()) EXPECT_EQ(h.segment.value, next++) << "no hole";
}

TEST_F(ClaimsTest, PayloadsOnTheirWayAreBounded) {
  contents_->hold(MemoryBlobs::Operation::kPut);
  auto publisher = open(claiming());
  ASSERT_TRUE(publish(*publisher, 0, 40 << 20));
  StopSource stop;
  stop.request_stop();
  auto refused = publisher->publish(segment(1, 40 << 20), time_of(1), stop.get_token());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kCancelled);
  contents_->release(MemoryBlobs::Operation::kPut);
  EXPECT_TRUE(publisher->close(EndCause::kStopped).has_value());
  EXPECT_THAT(chunks(), SizeIs(1));
}

TEST_F(ClaimsTest, AWriterThatDiesInBetweenLeavesAnOrphanAndNoReference) {
  contents_->hold(MemoryBlobs::Operation::kPut);
  auto publisher = open(claiming());
  ASSERT_TRUE(publish(*publisher, 0));
  ASSERT_TRUE(publish(*publisher, 1));
  contents_->await_held(MemoryBlobs::Operation::kPut, 2);
  publisher.reset();  // kill -9, as far as the log can tell
  EXPECT_THAT(chunks(), IsEmpty());
  contents_->release(MemoryBlobs::Operation::kPut);
  publisher = open(claiming());
  ASSERT_TRUE(publish(*publisher, 0));
  ASSERT_TRUE(publisher->close(EndCause::kEndOfInput));
  EXPECT_THAT(chunks(), SizeIs(1));
  EXPECT_EQ(chunks().front().segment, SegmentNumber(0));
}

TEST_F(ClaimsTest, TheSameContentIsStoredOnce) {
  auto publisher = open(claiming());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(publisher->publish(segment(7), time_of(0), {}));
  ASSERT_TRUE(publisher->close(EndCause::kEndOfInput));
  EXPECT_THAT(blobs(), SizeIs(1));
  EXPECT_THAT(chunks(), SizeIs(3));
}

TEST_F(ClaimsTest, WithoutAStoreAClaimIsRefused) {
  auto o = claiming();
  o.blobs = nullptr;
  auto publisher = open(o);
  EXPECT_EQ(publish(*publisher, 0).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace gopline::splitter
