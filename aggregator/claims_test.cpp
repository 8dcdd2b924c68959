// Claim checks are redeemed as they are read, and what has become of a payload is said.
#include <gmock/gmock.h>

#include "aggregator/stream_reader.h"
#include "aggregator/test_stream.h"
#include "common/payload/memory_store.h"

namespace gopline::aggregator {
namespace {

using namespace testing;
using payload::MemoryBlobs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ClaimsTest : public ::testing::Test, public payload::BlobSource {
 protected:
  ClaimsTest() {
    EpochOptions options;
    options.segments = 6;
    options.blobs = store_.get();
    stream_.write_epoch(clip_, options);
  }

  Result<std::shared_ptr<payload::BlobStore>> store_of(const std::string&) override { return store_; }

  std::string key_of(std::size_t segment) {
    auto time = kNoon + std::chrono::seconds(2 * segment);
    return payload::to_text(
        {"gopline", kStream, format_hour(time), sha256_hex(clip_.segments[segment].bytes)});
  }

  // A sequence in words, and the bytes held to the clip's.
  std::vector<std::string> read(payload::BlobSource* blobs) {
    Selection selection;
    selection.stream = kStream;
    auto reader = StreamReader::open(stream_.log, selection, {}, blobs).value();
    std::vector<std::string> words;
    for (;;) {
      auto item = reader->next();
      if (!item) {
        error_ = item.error();
        words.push_back("error");
        break;
      }
      if (!*item) break;
      if (const auto* segment = std::get_if<SegmentData>(&**item)) {
        auto number = static_cast<std::size_t>(segment->headers.segment.value);
        EXPECT_EQ(segment->bytes.flatten(), clip_.segments[number].bytes.flatten());
        words.push_back(std::to_string(number));
      } else if (const auto* absence = std::get_if<Absence>(&**item)) {
        absences_.push_back(*absence);
        words.push_back(fmt::format("{} {}", to_string(absence->cause), *absence->first_segment));
      }
    }
    stats_ = reader->stats();
    return words;
  }

  const ClipSegments clip_ = cut_clip("street.mp4");
  std::shared_ptr<MemoryBlobs> contents_ = std::make_shared<MemoryBlobs>();
  std::shared_ptr<payload::BlobStore> store_ = payload::open_memory_store(contents_);
  TestStream stream_;
  std::vector<Absence> absences_;
  StreamReaderStats stats_;
  Error error_;
};

TEST_F(ClaimsTest, AreRedeemed) {
  EXPECT_THAT(read(this), ElementsAre("0", "1", "2", "3", "4", "5"));
  EXPECT_EQ(stats_.payload_bytes, 0u);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < 6; ++i) sum += clip_.segments[i].bytes.size();
  EXPECT_EQ(stats_.blob_bytes, sum);
  EXPECT_EQ(contents_->calls(MemoryBlobs::Operation::kGet), 6) << "each is fetched once";
}

TEST_F(ClaimsTest, TheNextAreFetchedMeanwhile) {
  contents_->hold(MemoryBlobs::Operation::kGet);
  std::jthread let_go([&] {
    contents_->await_held(MemoryBlobs::Operation::kGet, 3);
    contents_->release(MemoryBlobs::Operation::kGet);
  });
  EXPECT_THAT(read(this), ElementsAre("0", "1", "2", "3", "4", "5"));
}

TEST_F(ClaimsTest, OneThatIsGoneIsAnAbsenceThatNamesIt) {
  ASSERT_TRUE(store_->remove(key_of(2), {}));
  EXPECT_THAT(read(this), ElementsAre("0", "1", "missing-blob 2", "3", "4", "5"));
  EXPECT_EQ(absences_[0].uri, store_->uri_of(key_of(2)));
  EXPECT_THAT(absences_[0].reason, HasSubstr(store_->uri_of(key_of(2))));
}

TEST_F(ClaimsTest, OneThatWasAlteredOrCutIsCorruptAndNamed) {
  contents_->flip(key_of(1));
  contents_->cut(key_of(4));
  EXPECT_THAT(read(this), ElementsAre("0", "corrupt 1", "2", "3", "corrupt 4", "5"));
  EXPECT_EQ(absences_[0].uri, store_->uri_of(key_of(1)));
  EXPECT_EQ(absences_[1].uri, store_->uri_of(key_of(4)));
}

TEST_F(ClaimsTest, AStoreThatIsAwayIsAnErrorAndNoAbsence) {
  contents_->fail_next(MemoryBlobs::Operation::kGet, 100, {ErrorCode::kUnavailable, "the store is away"});
  EXPECT_THAT(read(this), ElementsAre("error"));
  EXPECT_EQ(error_.code, ErrorCode::kUnavailable);
}

TEST_F(ClaimsTest, WithoutAWayThereTheyAreElsewhere) {
  EXPECT_THAT(read(nullptr), ElementsAre("elsewhere 0", "elsewhere 1", "elsewhere 2", "elsewhere 3",
                                         "elsewhere 4", "elsewhere 5"));
  EXPECT_THAT(absences_[0].uri, store_->uri_of(key_of(0)));
}

TEST_F(ClaimsTest, InlineAndClaimedEpochsFollowEachOther) {
  EpochOptions options;
  options.segments = 2;
  options.start = kNoon + std::chrono::hours(1);
  stream_.write_epoch(clip_, options);
  Selection selection;
  selection.stream = kStream;
  selection.epochs = EpochSelection::all();
  auto reader = StreamReader::open(stream_.log, selection, {}, this).value();
  int segments = 0;
  for (auto item = reader->next(); item && *item; item = reader->next()) {
    segments += std::holds_alternative<SegmentData>(**item) ? 1 : 0;
  }
  EXPECT_EQ(segments, 8);
  EXPECT_GT(reader->stats().payload_bytes, 0u);
  EXPECT_GT(reader->stats().blob_bytes, 0u);
}

}  // namespace
}  // namespace gopline::aggregator
