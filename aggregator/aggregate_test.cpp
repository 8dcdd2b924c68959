#include "aggregator/aggregate.h"

#include <gmock/gmock.h>

#include <fstream>

#include "aggregator/test_stream.h"
#include "common/base/test_directory.h"
#include "common/media/muxer.h"

namespace gopline::aggregator {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class AggregateTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_ / name; }

  AggregateOptions into(const std::string& name, EpochSelection epochs = EpochSelection::latest()) const {
    AggregateOptions options;
    options.selection.stream = kStream;
    options.selection.epochs = epochs;
    options.output = path(name);
    return options;
  }

  Result<AggregateReport> run(const AggregateOptions& options) {
    return aggregate(stream.log, options, {}, {});
  }

  // What the muxer makes of the clip itself: the muxer's own tests hold that to ffmpeg.
  std::string direct(const ClipSegments& clip, const std::string& name) const {
    media::MuxerOptions options;
    options.target = path(name);
    auto muxer = media::Muxer::open(options, clip.source, clip.tracks);
    for (const auto& packet : clip.packets) EXPECT_TRUE((*muxer)->write(packet));
    EXPECT_TRUE((*muxer)->finish());
    return options.target;
  }

  bool nothing_left() const { return fs::is_empty(folder_.path()); }

  TestDirectory folder_;
  TestStream stream;
};

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::vector<media::Packet>> packets_by_track(const std::string& path) {
  media::DemuxerOptions options;
  options.url = path;
  auto demuxer = media::Demuxer::open(options);
  std::vector<std::vector<media::Packet>> out;
  if (!demuxer) return out;
  out.resize((*demuxer)->tracks().size());
  for (;;) {
    auto packet = (*demuxer)->read();
    if (!packet || !*packet) return out;
    out[static_cast<std::size_t>((*packet)->track)].push_back(**packet);
  }
}

std::vector<std::string> lines(const std::vector<media::Packet>& packets) {
  std::vector<std::string> out;
  for (const auto& p : packets) {
    out.push_back(fmt::format("{} {} {} {:x} {}", p.pts.value_or(-1), p.dts.value_or(-1), p.duration, p.flags,
                              xxh3_hex(p.data.bytes())));
  }
  return out;
}

// When the pictures of a file are shown, in that order.
std::vector<double> seconds(const std::string& path, std::size_t track = 0) {
  media::DemuxerOptions options;
  options.url = path;
  auto base = (*media::Demuxer::open(options))->tracks()[track].time_base;
  std::vector<double> out;
  auto packets = packets_by_track(path);
  for (const auto& p : packets[track]) out.push_back(static_cast<double>(*p.pts) * base.to_double());
  std::ranges::sort(out);
  return out;
}

TEST_F(AggregateTest, AWholeEpochIsWhatItsSourceWasRemuxed) {
  stream.write_epoch(street());
  for (std::string name : {"out.mp4", "out.mkv", "out.ts", "out.nut"}) {
    SCOPED_TRACE(name);
    auto report = run(into(name));
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->whole());
    EXPECT_FALSE(report->passed_through);
    EXPECT_EQ(report->packets, street().packets.size());
    EXPECT_EQ(report->segments, static_cast<std::int64_t>(street().segments.size()));
    EXPECT_EQ(report->bytes, fs::file_size(path(name)));
    auto ours = packets_by_track(path(name));
    auto theirs = packets_by_track(direct(street(), "direct-" + name));
    ASSERT_EQ(ours.size(), theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_EQ(lines(ours[i]), lines(theirs[i]));
  }
}

TEST_F(AggregateTest, FragmentsPassThroughUntouched) {
  stream.write_epoch(street());
  auto options = into("out.mp4");
  options.format = "fmp4";
  auto report = run(options);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->passed_through);
  EXPECT_EQ(report->packets, street().packets.size());
  std::string expected;
  for (const auto& segment : street().segments) {
    auto bytes = segment.bytes.flatten();
    expected += expected.empty() ? bytes.text() : bytes.text().substr(segment.init_size);
  }
  EXPECT_TRUE(read_file(path("out.mp4")) == expected);
}

TEST_F(AggregateTest, ChunksMakeNoDifference) {
  EpochOptions chunks;
  chunks.chunk_bytes = 7001;
  stream.write_epoch(street());
  auto whole = into("whole.mp4");
  whole.format = "fmp4";
  ASSERT_TRUE(run(whole));
  stream.write_epoch(street(), chunks);
  auto chunked = into("chunked.mp4");
  chunked.format = "fmp4";
  ASSERT_TRUE(run(chunked));
  EXPECT_TRUE(read_file(path("whole.mp4")) == read_file(path("chunked.mp4")));
}

TEST_F(AggregateTest, NutEpochsComeBackAsTheyWere) {
  auto clip = cut_clip("street.avi");
  stream.write_epoch(clip);
  ASSERT_TRUE(run(into("out.mkv")));
  EXPECT_EQ(lines(packets_by_track(path("out.mkv"))[0]),
            lines(packets_by_track(direct(clip, "direct.mkv"))[0]));
  auto refused = into("out.mp4");
  refused.format = "fmp4";
  auto report = run(refused);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("msmpeg4v3"));
}

TEST_F(AggregateTest, AfterAGapItGoesOnAtTheNextAccessPoint) {
  EpochOptions options;
  options.segments = 6;
  options.without = {2};
  auto clip = cut_clip("street.mp4");
  clip.segments[3].sap = 0;  // a continuation: of no use without what came before
  stream.write_epoch(clip, options);
  auto report = run(into("out.mp4"));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_FALSE(report->whole());
  ASSERT_EQ(report->absences.size(), 1u);
  EXPECT_EQ(report->absences[0].cause, AbsenceCause::kLost);
  EXPECT_EQ(report->skipped_packets, clip.packets_of[3].size());
  EXPECT_EQ(report->packets, clip.packets_of[0].size() + clip.packets_of[1].size() +
                                 clip.packets_of[4].size() + clip.packets_of[5].size());
  auto times = seconds(path("out.mp4"));
  EXPECT_NEAR(times.back() - times.front(), 12.0, 0.2) << "the gap stays open";
}

TEST_F(AggregateTest, LeadingPicturesAreDroppedOnlyWhereTheirReferencesAreMissing) {
  auto clip = cut_clip("street_hevc.mp4");
  ASSERT_EQ(clip.segments[1].sap, 3) << "an open GOP";
  EpochOptions options;
  stream.write_epoch(clip, options);
  auto whole = run(into("whole.mp4"));
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->leading_packets, 0u);
  options.without = {1};
  stream.write_epoch(clip, options);
  auto report = run(into("out.mp4"));
  ASSERT_TRUE(report);
  const auto& resumed = clip.packets_of[2];
  auto leading = std::ranges::count_if(resumed, [&](const auto& p) { return *p.pts < *resumed.front().pts; });
  EXPECT_GT(leading, 0);
  EXPECT_EQ(report->leading_packets, static_cast<std::uint64_t>(leading));
  EXPECT_EQ(report->packets + report->leading_packets + clip.packets_of[1].size(), clip.packets.size());

  auto into_fragments = into("fragments.mp4");
  into_fragments.format = "fmp4";
  auto passed = run(into_fragments);
  ASSERT_TRUE(passed);
  EXPECT_TRUE(passed->passed_through);
  EXPECT_EQ(passed->leading_packets, report->leading_packets);
  EXPECT_EQ(passed->packets, report->packets);
  auto packets = packets_by_track(path("fragments.mp4"))[0];
  ASSERT_EQ(packets.size(), passed->packets);
  auto pictures = [&](const auto& of) {
    std::vector<std::string> out;
    for (const auto& p : of) out.push_back(xxh3_hex(p.data.bytes()));
    return out;
  };
  EXPECT_EQ(pictures(packets), pictures(packets_by_track(path("out.mp4"))[0]));
}

TEST_F(AggregateTest, ARangeBeginsAtZero) {
  stream.write_epoch(street());
  auto options = into("out.mp4");
  options.selection.from = kNoon + std::chrono::milliseconds(4500);
  options.selection.to = kNoon + std::chrono::milliseconds(7000);
  auto report = run(options);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->segments, 2);
  EXPECT_EQ(report->payload_bytes_read,
            street().segments[2].bytes.size() + street().segments[3].bytes.size());
  auto packets = packets_by_track(path("out.mp4"));
  EXPECT_NEAR(seconds(path("out.mp4")).front(), 0, 0.2);
  EXPECT_EQ(packets[0].front().data, street().packets_of[2].front().data);
}

TEST_F(AggregateTest, EpochsFollowEachOtherByTheirCaptureTimes) {
  EpochOptions options;
  options.segments = 2;
  stream.write_epoch(street(), options);
  options.start = kNoon + std::chrono::seconds(60);
  stream.write_epoch(street(), options);
  for (std::string format : {"mp4", "fmp4", "mkv"}) {
    SCOPED_TRACE(format);
    auto all = into("out." + format, EpochSelection::all());
    all.format = format;
    auto report = run(all);
    ASSERT_TRUE(report) << report.error().message;
    ASSERT_EQ(report->epochs.size(), 2u);
    EXPECT_TRUE(report->epochs[1].placed_by_clock);
    EXPECT_EQ(report->epochs[1].place_us, 60'000'000);
    auto times = seconds(path("out." + format));
    EXPECT_NEAR(times[times.size() / 2] - times[0], 60, 0.001);
  }
}

TEST_F(AggregateTest, EpochsThatWouldOverlapFollowDirectly) {
  EpochOptions options;
  options.segments = 2;
  stream.write_epoch(street(), options);
  stream.write_epoch(street(), options);
  for (std::string format : {"mp4", "fmp4"}) {
    auto all = into("out." + format, EpochSelection::all());
    all.format = format;
    auto report = run(all);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_FALSE(report->epochs[1].placed_by_clock);
    EXPECT_NEAR(static_cast<double>(report->epochs[1].place_us), 4e6, 0.2e6);
    auto times = seconds(path("out." + format));
    EXPECT_NEAR(times[times.size() / 2] - times[0], 4, 0.1);
  }
}

TEST_F(AggregateTest, EpochsOfDifferentPicturesDoNotFitIntoOneFile) {
  stream.write_epoch(street());
  auto second = stream.write_epoch(cut_clip("street_av1.mp4"));
  auto report = run(into("out.mp4", EpochSelection::all()));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(report.error().message, HasSubstr(fmt::format("--epoch {}", second)));
  EXPECT_TRUE(nothing_left());
}

TEST_F(AggregateTest, AnInitThatChangesIsWrittenAgain) {
  EpochOptions options;
  options.segments = 2;
  stream.write_epoch(street(), options);
  auto other = cut_clip("street_av1.mp4");
  options.segments = 1;
  stream.write_epoch(other, options);
  auto all = into("out.mp4", EpochSelection::all());
  all.format = "fmp4";
  auto report = run(all);
  ASSERT_TRUE(report) << report.error().message;
  auto bytes = read_file(path("out.mp4"));
  std::size_t count = 0;
  for (auto at = bytes.find("moov"); at != std::string::npos; at = bytes.find("moov", at + 4)) ++count;
  EXPECT_EQ(count, 2u);
}

TEST_F(AggregateTest, SaysWhyThereIsNothing) {
  EpochOptions options;
  options.segments = 1;
  auto epoch = stream.write_epoch(street(), options);
  stream.log.flip_byte(stream.where, stream.offsets[{epoch, 0}][0], 100);
  auto report = run(into("out.mp4"));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(report.error().message, HasSubstr("corrupt"));
  EXPECT_TRUE(nothing_left());
}

TEST_F(AggregateTest, FailuresOfTheLogAndStopsLeaveNoFile) {
  stream.write_epoch(street());
  StopSource stop;
  auto progress = [&](const AggregateProgress& p) {
    EXPECT_EQ(p.segments_planned, static_cast<std::int64_t>(street().segments.size()));
    stop.request_stop();
  };
  auto stopped = aggregate(stream.log, into("out.mp4"), progress, stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(nothing_left());
}

TEST_F(AggregateTest, ReadAheadOfNothingStillReads) {
  stream.write_epoch(street());
  auto options = into("out.mp4");
  options.read_ahead_bytes = 1;
  EXPECT_TRUE(run(options));
}

}  // namespace
}  // namespace gopline::aggregator
