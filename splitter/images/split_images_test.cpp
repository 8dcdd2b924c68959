#include "splitter/images/split_images.h"

#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/test_directory.h"
#include "common/base/test_time.h"
#include "common/log/memory_log.h"
#include "common/media/frames/jpeg.h"
#include "common/media/frames/test_pictures.h"
#include "common/media/segment_reader.h"
#include "common/record/markers.h"
#include "common/record/segment_headers.h"

namespace gopline::splitter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SplitImages : public ::testing::Test {
 protected:
  static Buffer jpeg(int width, int height) {
    return *media::JpegEncoder().encode(media::test_picture(width, height));
  }
  void write(const std::string& name, const Buffer& bytes) {
    std::ofstream file(folder_ / name, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  Result<SplitReport> split(bool follow = false, StopToken stop = {}) {
    SplitOptions options;
    options.source = folder_.path();
    options.stream = "line";
    options.start_time = kNoon;
    options.partitions = 1;
    ImageOptions images;
    images.files = *picture_files_of(folder_.path());
    if (!follow) images.rate = Rational{10, 1};
    images.follow = follow;
    return split_images(log_, clock_, options, images, on_progress_, std::move(stop));
  }
  std::vector<StoredRecord> records() const { return log_.records({"gopline.segments", PartitionId(0)}); }
  std::vector<std::string> types() const {
    std::vector<std::string> out;
    for (const auto& r : records()) out.emplace_back(find_header(r.headers, "ce_type").value_or("?"));
    return out;
  }
  // Of every segment the bytes of its packets, as who reads the log has them.
  std::vector<Buffer> pictures() const {
    std::vector<Buffer> out;
    std::vector<media::Track> tracks;
    for (const auto& r : records()) {
      if (find_header(r.headers, "ce_type") == "gopline.epoch.started.v1")
        tracks = record::parse_epoch_started(r.headers, *r.value)->tracks;
      auto headers = record::parse_segment_headers(r.headers);
      if (!headers) continue;
      auto packets = media::unpack_segment(*r.value, headers->content_type, tracks);
      EXPECT_TRUE(packets) << packets.error().message;
      for (auto& packet : *packets) out.push_back(packet.data);
    }
    return out;
  }
  std::vector<record::SegmentHeaders> segments() const {
    std::vector<record::SegmentHeaders> out;
    for (const auto& r : records()) {
      if (auto headers = record::parse_segment_headers(r.headers)) out.push_back(*headers);
    }
    return out;
  }

  FakeClock clock_{kNoon};
  MemoryLog log_;
  TestDirectory folder_;
  std::function<void(const SplitProgress&)> on_progress_;
};

TEST_F(SplitImages, EachPictureIsASegmentAndItsBytesAreTheFiles) {
  std::vector<Buffer> files{jpeg(64, 48), jpeg(64, 48), jpeg(64, 48)};
  for (std::size_t i = 0; i < files.size(); ++i) write(std::to_string(9 + i) + ".jpg", files[i]);
  auto report = split();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->epoch.segments, 3);
  EXPECT_EQ(report->broken_pictures, 0);
  EXPECT_EQ(pictures(), files);
  auto all = segments();
  EXPECT_EQ(all[2].time, kNoon + std::chrono::milliseconds(200));
  EXPECT_EQ(all[2].sap, 1);
  EXPECT_EQ(to_string(all[2].start), "18000/90000");
  EXPECT_EQ(all[2].discontinuities, 0);
  EXPECT_THAT(all[0].content_type, HasSubstr("mp4v.6C"));
}

TEST_F(SplitImages, AnotherSizeOrKindIsANewEpoch) {
  std::vector<Buffer> files{jpeg(64, 48), jpeg(32, 32), media::test_still("png", 16, 16),
                            media::test_still("png", 48, 16), media::test_still("tiff", 20, 20)};
  for (std::size_t i = 0; i < files.size(); ++i)
    write(std::to_string(i) + (i < 2 ? ".jpg" : i < 4 ? ".png" : ".tif"), files[i]);
  auto report = split();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->epochs, 5);
  EXPECT_EQ(report->epoch.segments, 5);
  EXPECT_EQ(pictures(), files);
  std::vector<std::int64_t> discontinuities;
  for (const auto& one : segments()) discontinuities.push_back(one.discontinuities);
  EXPECT_THAT(discontinuities, ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(SplitImages, ABrokenPictureIsCountedAndAGap) {
  auto good = jpeg(64, 48);
  write("0.jpg", Buffer::copy(std::string_view("no picture")));
  write("1.jpg", good);
  write("2.jpg", good.share(0, good.size() / 2));
  write("3.jpg", Buffer());
  write("4.jpg", good);
  auto report = split();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->broken_pictures, 3);
  EXPECT_EQ(report->epoch.segments, 2);
  EXPECT_THAT(types(), ElementsAre("gopline.epoch.started.v1", "gopline.segment.v1", "gopline.gap.v1",
                                   "gopline.segment.v1", "gopline.epoch.ended.v1"));
  auto gap = record::parse_gap(records()[2].headers, *records()[2].value);
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->facts.from, kNoon + std::chrono::milliseconds(200));
  EXPECT_EQ(gap->facts.to, kNoon + std::chrono::milliseconds(400));
}

TEST_F(SplitImages, NothingButBrokenOnesIsAnError) {
  write("0.jpg", Buffer::copy(std::string_view("no picture")));
  auto report = split();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(records().empty());
}

TEST_F(SplitImages, AnEmptyFolderIsAnError) {
  auto report = split();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(report.error().message, HasSubstr(folder_.path()));
}

TEST_F(SplitImages, FollowedOnesLeaveAtOnce) {
  auto picture = jpeg(64, 48);
  write("1.jpg", picture);
  StopSource stop;
  int seen = 0;
  on_progress_ = [&](const SplitProgress&) {
    ++seen;
    if (seen < 3) write(std::to_string(seen + 1) + ".jpg", picture);
    if (seen == 3) stop.request_stop();
  };
  auto report = split(true, stop.get_token());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->cause, EndCause::kStopped);
  EXPECT_EQ(pictures().size(), 3u);
}

}  // namespace
}  // namespace gopline::splitter
