#include "common/media/parser_bypass.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>

#include "common/base/test_directory.h"
#include "common/bytes/digest.h"
#include "common/media/demuxer.h"

// The truth is libavformat with its parser: a file reads the same without, packet by packet.
namespace gopline::media {
namespace {

class ParserBypassTest : public ::testing::Test {
 protected:
  // A file that ffmpeg makes.
  std::string made_by(const std::string& arguments, const std::string& name = "made.mp4") {
    auto path = folder_ / name;
    auto command = "ffmpeg -v error -y " + arguments + " '" + path + "' </dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return path;
  }

  TestDirectory folder_;
};

const std::string kPattern =
    "-f lavfi -i testsrc2=size=320x240:rate=25 -t 8 -pix_fmt yuv420p -c:v libx264 -preset ultrafast ";
// Probing ends early, so that small files do.
const std::vector<std::pair<std::string, std::string>> kProbeLittle = {{"probesize", "50000"}};

struct Reading {
  std::vector<std::string> tracks, packets;
  std::int64_t last_duration = 0;
};

Reading read_all(const std::string& path, std::int64_t bypass_from) {
  DemuxerOptions options;
  options.url = path;
  options.options = kProbeLittle;
  options.parser_bypass_min_bytes = bypass_from;
  Reading reading;
  auto demuxer = Demuxer::open(options);
  EXPECT_TRUE(demuxer);
  if (!demuxer) return reading;
  for (const auto& track : (*demuxer)->tracks()) {
    const auto& codec = track.codec;
    reading.tracks.push_back(fmt::format(
        "{} {}x{} profile {} level {} fields {} delay {} extradata {} rate {}/{} {}/{} start {}", codec.codec,
        codec.width, codec.height, codec.profile, codec.level, codec.field_order, codec.video_delay,
        xxh3_hex(codec.extradata.bytes()), track.avg_frame_rate.num, track.avg_frame_rate.den,
        track.r_frame_rate.num, track.r_frame_rate.den, track.start_time.value_or(-1)));
  }
  while (true) {
    auto packet = (*demuxer)->read();
    EXPECT_TRUE(packet);
    if (!packet || !*packet) return reading;
    const auto& p = **packet;
    reading.packets.push_back(fmt::format("track {} pts {} dts {} flags {:x} {}", p.track, p.pts.value_or(-1),
                                          p.dts.value_or(-1), p.flags, xxh3_hex(p.data.bytes())));
    if (p.track == 0) reading.last_duration = p.duration;
  }
}

bool is_bypassed(const std::string& path) {
  AVFormatContext* raw = nullptr;
  AvDictionary options;
  for (const auto& [key, value] : kProbeLittle) av_dict_set(&options.entries, key.c_str(), value.c_str(), 0);
  if (avformat_open_input(&raw, path.c_str(), nullptr, &options.entries) < 0) return false;
  AvInputPtr input(raw);
  return ParserBypass::begin(*input, 0).has_value();
}

void expect_the_same(const std::string& path) {
  auto parsed = read_all(path, std::numeric_limits<std::int64_t>::max());
  auto bypassed = read_all(path, 0);
  EXPECT_GT(parsed.packets.size(), 100u);
  EXPECT_EQ(bypassed.tracks, parsed.tracks);
  EXPECT_EQ(bypassed.packets, parsed.packets);
  EXPECT_EQ(bypassed.last_duration, parsed.last_duration);
}

TEST_F(ParserBypassTest, RealFootageReadsTheSame) {
  auto path = made_by("-stream_loop 3 -i '" GOPLINE_SOURCE_DIR "/media/street.mp4' -c copy");
  EXPECT_TRUE(is_bypassed(path));
  expect_the_same(path);
}

TEST_F(ParserBypassTest, OpenGopsReadTheSame) {
  auto path = made_by(kPattern + "-bf 2 -refs 3 -b:v 1M -x264-params open-gop=1:keyint=25");
  EXPECT_TRUE(is_bypassed(path));
  expect_the_same(path);
}

TEST_F(ParserBypassTest, InterlacedPicturesReadTheSame) {
  auto path = made_by(kPattern + "-refs 3 -b:v 1M -flags +ildct+ilme -x264-params tff=1:pic-struct=1");
  EXPECT_TRUE(is_bypassed(path));
  expect_the_same(path);
}

TEST_F(ParserBypassTest, UnevenTimesReadTheSame) {
  auto path = made_by(
      "-f lavfi -i testsrc2=size=320x240:rate=25 -t 8 -vf \"setpts='PTS+if(gt(mod(N,7),3),0.01/TB,0)'\" "
      "-fps_mode passthrough -pix_fmt yuv420p -c:v libx264 -preset ultrafast -refs 3 -b:v 1M");
  EXPECT_TRUE(is_bypassed(path));
  expect_the_same(path);
}

// Versions of libavformat differ in how much of a fragmented file's index they have at the beginning.
TEST_F(ParserBypassTest, FragmentsReadTheSame) {
  expect_the_same(made_by(kPattern + "-refs 3 -b:v 1M -movflags frag_keyframe"));
  expect_the_same(made_by(kPattern + "-refs 3 -b:v 1M -movflags frag_keyframe+empty_moov"));
  expect_the_same(made_by(kPattern + "-bf 2 -refs 3 -b:v 1M -movflags +faststart+frag_every_frame"));
}

TEST_F(ParserBypassTest, AnEditedBeginningReadsTheSame) {
  auto whole = made_by(kPattern + "-bf 2 -refs 3 -b:v 1M -g 50", "whole.mp4");
  expect_the_same(made_by("-ss 1.3 -i '" + whole + "' -c copy"));
}

TEST_F(ParserBypassTest, WhatItCannotTellIsLeftToTheParser) {
  EXPECT_FALSE(is_bypassed(made_by(kPattern + "-refs 1 -b:v 1M"))) << "one reference frame";
  EXPECT_FALSE(is_bypassed(made_by(kPattern + "-refs 3 -b:v 1M", "made.mkv"))) << "no MP4";
  EXPECT_FALSE(is_bypassed(made_by(kPattern + "-refs 3 -t 1"))) << "probing reads all of it";
  EXPECT_FALSE(is_bypassed(GOPLINE_SOURCE_DIR "/media/street_hevc.mp4")) << "another codec";
}

}  // namespace
}  // namespace gopline::media
