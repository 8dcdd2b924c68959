#include "common/media/direct_reads.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "common/base/test_directory.h"
#include "common/bytes/digest.h"

namespace gopline::media {
namespace {

class DirectReadsTest : public ::testing::Test {
 protected:
  std::string made_by(const std::string& arguments, const std::string& name) {
    auto path = folder_ / name;
    auto command = "ffmpeg -v error -y -f lavfi -i testsrc2=size=640x360:rate=25 -f lavfi -i sine -t 2 " +
                   arguments + " '" + path + "' </dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return path;
  }

  static AvInputPtr opened(const std::string& path) {
    AVFormatContext* raw = nullptr;
    EXPECT_EQ(avformat_open_input(&raw, path.c_str(), nullptr, nullptr), 0);
    AvInputPtr input(raw);
    EXPECT_GE(avformat_find_stream_info(raw, nullptr), 0);
    return input;
  }

  // The packets that come, then those from the beginning of the file again.
  static std::vector<std::string> packets_of(AVFormatContext& input) {
    std::vector<std::string> packets;
    AvPacketPtr packet(av_packet_alloc());
    for (int round = 0; round < 2; ++round) {
      while (av_read_frame(&input, packet.get()) >= 0) {
        std::span bytes(packet->data, static_cast<std::size_t>(packet->size));
        packets.push_back(fmt::format("{} {} {}", packet->stream_index, packet->dts, xxh3_hex(bytes)));
        av_packet_unref(packet.get());
      }
      EXPECT_GE(av_seek_frame(&input, 0, 0, AVSEEK_FLAG_BACKWARD), 0);
    }
    return packets;
  }

  TestDirectory folder_;
};

TEST_F(DirectReadsTest, LargePacketsAreReadTheSame) {
  auto path = made_by("-c:v libx264 -preset ultrafast -qp 4 -g 25 -bf 2 -c:a aac", "large.mp4");
  auto direct = opened(path);
  EXPECT_TRUE(read_large_packets_directly(*direct));
  EXPECT_FALSE(read_large_packets_directly(*direct)) << "it is done already";
  auto packets = packets_of(*opened(path));
  EXPECT_GT(packets.size(), 200u);
  EXPECT_EQ(packets_of(*direct), packets);
}

TEST_F(DirectReadsTest, SmallPacketsAreBetterReadTogether) {
  EXPECT_FALSE(read_large_packets_directly(*opened(made_by("-b:v 300k -c:a aac", "small.mp4"))));
}

TEST_F(DirectReadsTest, WithoutAnIndexOfThePacketsNothingIsKnown) {
  auto path = made_by("-c:v libx264 -preset ultrafast -qp 4 -g 25", "large.mkv");
  EXPECT_FALSE(read_large_packets_directly(*opened(path)));
}

}  // namespace
}  // namespace gopline::media
