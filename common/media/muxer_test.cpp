#include "common/media/muxer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/base/test_directory.h"
#include "common/base/text.h"
#include "common/bytes/digest.h"
#include "common/media/annexb.h"
#include "common/media/av.h"
#include "common/media/demuxer.h"
#include "common/media/muxer_output.h"

// The oracle is the machine's own ffmpeg: whatever its `-c copy` makes of a clip, our muxer makes of the
// clip's packets.
namespace gopline::media {
namespace {

namespace fs = std::filesystem;

const fs::path kClips = fs::path(GOPLINE_SOURCE_DIR) / "media";

bool run(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1 </dev/null").c_str()) == 0;
}

// What bytes are, but for the length of start codes, which "identical" leaves open.
std::string content(const AVCodecParameters& codec, const std::uint8_t* data, int size,
                    bool extradata = false) {
  Buffer bytes = Buffer::copy(std::span(data, static_cast<std::size_t>(size)));
  bool nals = codec.codec_id == AV_CODEC_ID_H264 || codec.codec_id == AV_CODEC_ID_HEVC;
  while (extradata && !bytes.empty() && bytes.data()[bytes.size() - 1] == 0)
    bytes = bytes.share(0, bytes.size() - 1);
  bool annexb = size >= 4 && data[0] == 0 && data[1] == 0 && (data[2] == 1 || (data[2] == 0 && data[3] == 1));
  if (nals && annexb) bytes = to_length_prefixed(bytes);
  return fmt::format("{} bytes {}", bytes.size(), xxh3_hex(bytes.bytes()));
}

// Every packet of a file as a line, track by track.
std::vector<std::vector<std::string>> packet_lines(const std::string& path) {
  AVFormatContext* raw = nullptr;
  if (avformat_open_input(&raw, path.c_str(), nullptr, nullptr) < 0) return {};
  AvInputPtr input(raw);
  avformat_find_stream_info(raw, nullptr);
  std::vector<std::vector<std::string>> lines(raw->nb_streams);
  for (unsigned i = 0; i < raw->nb_streams; ++i) {
    const auto& stream = *raw->streams[i];
    const auto& codec = *stream.codecpar;
    lines[i].push_back(fmt::format(
        "{} tag {:x} base {}/{} extradata {} sar {}/{} delay {} padding {} disposition {:x}",
        avcodec_get_name(codec.codec_id), codec.codec_tag, stream.time_base.num, stream.time_base.den,
        content(codec, codec.extradata, codec.extradata_size, true), codec.sample_aspect_ratio.num,
        codec.sample_aspect_ratio.den, codec.video_delay, codec.initial_padding, stream.disposition));
  }
  AvPacketPtr packet(av_packet_alloc());
  while (av_read_frame(raw, packet.get()) >= 0) {
    const auto& codec = *raw->streams[packet->stream_index]->codecpar;
    auto line = fmt::format("pts {} dts {} duration {} flags {:x} {}", packet->pts, packet->dts,
                            packet->duration, packet->flags, content(codec, packet->data, packet->size));
    for (int i = 0; i < packet->side_data_elems; ++i) {
      const auto& side = packet->side_data[i];
      if (side.type == AV_PKT_DATA_MPEGTS_STREAM_ID) continue;
      line += fmt::format(" side {}:{}", static_cast<int>(side.type),
                          hex_encode(std::span(side.data, side.size)));
    }
    lines[static_cast<std::size_t>(packet->stream_index)].push_back(line);
    av_packet_unref(packet.get());
  }
  return lines;
}

DemuxerOptions from(const std::string& url) {
  DemuxerOptions options;
  options.url = url;
  return options;
}

Result<void> remux(const std::string& source, const MuxerOptions& options) {
  GOPLINE_ASSIGN(auto demuxer, Demuxer::open(from(source)));
  GOPLINE_ASSIGN(auto muxer, Muxer::open(options, demuxer->info(), demuxer->tracks()));
  for (;;) {
    GOPLINE_ASSIGN(auto packet, demuxer->read());
    if (!packet) break;
    GOPLINE_TRY(muxer->write(*packet));
  }
  return muxer->finish();
}

std::string map_of_carried(const std::string& source) {
  auto demuxer = Demuxer::open(from(source));
  std::string map;
  if (!demuxer) return map;
  for (const auto& track : (*demuxer)->tracks()) map += fmt::format(" -map 0:{}", track.source_index);
  return map;
}

struct RemuxCase {
  std::string name;
  std::string make;    // ffmpeg arguments that make the source; empty: `source` is a clip
  std::string source;  // a clip, or the extension of what is made
  std::vector<std::string> containers = {"mp4", "mkv", "ts", "nut"};
};

void PrintTo(const RemuxCase& c, std::ostream* out) {
  *out << c.name;
}

const std::string kTestPicture = "-f lavfi -i testsrc2=size=192x108:rate=25:duration=4 ";
const std::string kSound = "-f lavfi -i sine=frequency=440:sample_rate=48000:duration=4 ";
const std::string kClipArgument = "-i " + (kClips / "street.mp4").string() + " ";
const std::string kX264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25 -bf 2 ";

std::vector<RemuxCase> remux_cases() {
  return {
      {"street", "", "street.mp4", {"mp4", "mov", "mkv", "ts", "nut", "flv", "avi"}},
      {"street_hevc", "", "street_hevc.mp4"},
      {"street_av1", "", "street_av1.mp4"},
      {"street_avi", "", "street.avi", {"mkv", "nut", "avi"}},
      {"door_g711", "", "door_g711.mkv"},
      {"cup", "", "cup.mp4"},
      {"bunny", "", "bunny.mp4"},
      {"ts_h264_aac", kTestPicture + kSound + kX264 + "-c:a aac -shortest", "ts"},
      {"ts_late_start", kTestPicture + kSound + kX264 + "-c:a aac -output_ts_offset 1000", "ts"},
      {"ts_mpeg2_mp2", kTestPicture + kSound + "-c:v mpeg2video -g 12 -bf 2 -c:a mp2", "ts"},
      {"mkv_vp9_opus", kTestPicture + kSound + "-c:v libvpx-vp9 -cpu-used 8 -deadline realtime -c:a libopus",
       "mkv"},
      {"mkv_h264_mp3", kTestPicture + kSound + kX264 + "-c:a libmp3lame", "mkv"},
      {"flv_h264_aac", kTestPicture + kSound + kX264 + "-c:a aac", "flv", {"mp4", "mkv", "ts", "nut", "flv"}},
      {"mov_mjpeg_pcm",
       kTestPicture + kSound + "-c:v mjpeg -c:a pcm_s16le",
       "mov",
       {"mov", "mkv", "nut", "avi"}},
      {"avi_mpeg4_mp3", kTestPicture + kSound + "-c:v mpeg4 -bf 2 -g 25 -c:a libmp3lame", "avi"},
      {"adts", kSound + "-c:a aac", "aac", {"mp4", "mkv", "ts", "nut", "flv", "aac"}},
      {"mp3", kSound + "-c:a libmp3lame", "mp3"},
      {"ogg_opus", kSound + "-c:a libopus", "ogg"},
      {"raw_h264", kTestPicture + kX264, "h264"},
      {"rotated",
       kTestPicture + kX264 +
           "-metadata:s:v rotate=90 -colorspace bt709 -color_primaries bt709 -color_trc bt709",
       "mp4"},
      {"anamorphic", kTestPicture + kX264 + "-vf setsar=4/3", "mp4"},
      {"two_sounds",
       kTestPicture + kSound + kSound + "-map 0 -map 1 -map 2 " + kX264 +
           "-c:a aac -metadata:s:a:0 language=deu",
       "mp4"},
      {"sound_later", kTestPicture + "-itsoffset 0.5 " + kSound + kX264 + "-c:a aac", "mp4"},
      {"sound_earlier", "-itsoffset 0.5 " + kTestPicture + kSound + kX264 + "-c:a aac", "mkv"},
      {"cut_in_the_middle", "-ss 1.3 " + kClipArgument + "-c copy", "mp4"},
  };
}

// The first difference only: thousands of lines help nobody.
void expect_same_lines(const std::vector<std::string>& actual, const std::vector<std::string>& expected,
                       int track) {
  for (std::size_t i = 0; i < std::max(actual.size(), expected.size()); ++i) {
    std::string ours = i < actual.size() ? actual[i] : "nothing";
    std::string theirs = i < expected.size() ? expected[i] : "nothing";
    EXPECT_EQ(ours, theirs) << "track " << track << ", line " << i;
    if (ours != theirs) return;
  }
}

class RemuxTest : public ::testing::TestWithParam<RemuxCase> {};

TEST_P(RemuxTest, EqualsWhatFfmpegMakes) {
  TestDirectory folder;
  const auto& c = GetParam();
  std::string source = (kClips / c.source).string();
  if (!c.make.empty()) {
    source = folder / ("source." + c.source);
    if (!run("ffmpeg -y " + c.make + " " + source)) GTEST_SKIP() << "this ffmpeg cannot make the source";
  }
  auto map = map_of_carried(source);
  ASSERT_FALSE(map.empty());
  int compared = 0;
  for (const auto& extension : c.containers) {
    SCOPED_TRACE(c.name + " -> " + extension);
    auto theirs = folder / ("theirs." + extension);
    auto ours = folder / ("ours." + extension);
    bool possible = run("ffmpeg -y -i " + source + map + " -map_chapters -1 -c copy " + theirs);
    auto result = remux(source, {.target = ours, .format = "", .options = {}, .write = nullptr});
    if (!possible) continue;
    ASSERT_TRUE(result) << result.error().message;
    auto expected = packet_lines(theirs);
    auto actual = packet_lines(ours);
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t track = 0; track < expected.size(); ++track) {
      expect_same_lines(actual[track], expected[track], static_cast<int>(track));
    }
    EXPECT_FALSE(fs::exists(ours + ".part"));
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

INSTANTIATE_TEST_SUITE_P(Containers, RemuxTest, testing::ValuesIn(remux_cases()),
                         [](const auto& each) { return each.param.name; });

std::vector<Track> tracks_of(const std::string& clip) {
  auto demuxer = Demuxer::open(from((kClips / clip).string()));
  return demuxer ? (*demuxer)->tracks() : std::vector<Track>{};
}

MuxerOptions into(const std::string& target, const std::string& format = "") {
  MuxerOptions options;
  options.target = target;
  options.format = format;
  return options;
}

TEST(MuxerTest, NamesTheTrackThatDoesNotFitAndAContainerThatDoes) {
  TestDirectory folder;
  auto opened = Muxer::open(into(folder / "out.mp4"), {}, tracks_of("street.avi"));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(opened.error().message, testing::HasSubstr("mp4 cannot hold track 1 (msmpeg4v3 video)"));
  EXPECT_THAT(opened.error().message, testing::HasSubstr("matroska can hold all tracks"));
  EXPECT_FALSE(fs::exists(folder / "out.mp4"));
  EXPECT_FALSE(fs::exists(folder / "out.mp4.part"));
}

TEST(MuxerTest, SaysWhatContainersThereAre) {
  EXPECT_EQ(container_format("", "a/b.mkv").value_or(""), "matroska");
  EXPECT_EQ(container_format("ts", "-").value_or(""), "mpegts");
  EXPECT_EQ(container_format("fmp4", "-").value_or(""), "fmp4");
  EXPECT_EQ(container_format("", "footage").error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(container_format("vhs", "-").error().message, testing::HasSubstr("'vhs'"));
  EXPECT_EQ(Muxer::open(into("/tmp/x.m3u8"), {}, tracks_of("street.mp4")).error().code,
            ErrorCode::kUnsupported);
}

TEST(MuxerTest, RefusesOptionsThatTheContainerDoesNotHave) {
  TestDirectory folder;
  auto options = into(folder / "out.mkv");
  options.options = {{"movflags", "faststart"}};
  auto opened = Muxer::open(options, {}, tracks_of("street.mp4"));
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, testing::HasSubstr("'movflags'"));
}

TEST(MuxerTest, KeepsAnExistingFileUntilTheNewOneIsComplete) {
  TestDirectory folder;
  auto path = folder / "out.mp4";
  std::ofstream(path) << "old";
  {
    auto muxer = Muxer::open(into(path), {}, tracks_of("street.mp4"));
    ASSERT_TRUE(muxer) << muxer.error().message;
    EXPECT_EQ(fs::file_size(path), 3u);
  }
  EXPECT_EQ(fs::file_size(path), 3u);
  EXPECT_FALSE(fs::exists(path + ".part"));
  ASSERT_TRUE(remux((kClips / "street.mp4").string(), into(path)));
  EXPECT_GT(fs::file_size(path), 1000u);
}

TEST(MuxerTest, WritesFragmentsWhereTheTargetCannotBeRewound) {
  TestDirectory folder;
  std::vector<std::uint8_t> bytes;
  auto options = into("-", "mp4");
  options.write = [&](std::span<const std::uint8_t> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return true;
  };
  auto source = (kClips / "street.mp4").string();
  auto result = remux(source, options);
  ASSERT_TRUE(result) << result.error().message;
  auto path = folder / "piped.mp4";
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
  auto piped = packet_lines(path);
  auto original = packet_lines(source);
  ASSERT_EQ(piped.size(), original.size());
  EXPECT_EQ(piped[0].size(), original[0].size());
  EXPECT_EQ(piped[1].size(), original[1].size());
}

TEST(MuxerTest, StopsWhenItsReaderDoes) {
  auto options = into("-", "mpegts");
  options.write = [](std::span<const std::uint8_t>) { return false; };
  auto result = remux((kClips / "street.mp4").string(), options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCancelled);
}

TEST(MuxerTest, SaysThatTheDiskIsFull) {
  auto result = remux((kClips / "street.mp4").string(), into("/dev/full", "mpegts"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kOutOfSpace);
  EXPECT_THAT(result.error().message, testing::HasSubstr("/dev/full"));
}

TEST(MuxerTest, NamesAFolderAndAPlaceThatIsNotThere) {
  EXPECT_EQ(Muxer::open(into("/tmp", "mp4"), {}, tracks_of("street.mp4")).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(Muxer::open(into("/tmp/no/such/folder/x.mp4"), {}, tracks_of("street.mp4")).error().code,
            ErrorCode::kNotFound);
}

TEST(OutputTargetTest, WritesChainsWhole) {
  TestDirectory folder;
  auto path = folder / "chain";
  BufferChain chain;
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    std::string piece(static_cast<std::size_t>(i % 7 * 100), static_cast<char>('a' + i % 26));
    chain.append(Buffer::copy(piece));
    expected += piece;
  }
  auto target = OutputTarget::open(path);
  ASSERT_TRUE(target);
  ASSERT_TRUE((*target)->write(chain));
  EXPECT_EQ((*target)->bytes_written(), expected.size());
  ASSERT_TRUE((*target)->commit());
  std::ifstream in(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), expected);
}

}  // namespace
}  // namespace gopline::media
