#include "common/media/mapped_input.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/base/test_directory.h"
#include "common/media/demuxer.h"

// That packets are the same as libavformat's is ParserBypassTest's to say, whose files are mapped.
namespace gopline::media {
namespace {

class MappedInputTest : public ::testing::Test {
 protected:
  // H.264 and AAC, 5 s, a few megabytes.
  std::string clip() {
    auto path = folder_ / "clip.mp4";
    auto command =
        "ffmpeg -v error -y -f lavfi -i testsrc2=size=320x240:rate=25,noise=alls=40:allf=t -f lavfi -i sine "
        "-t 5 "
        "-pix_fmt yuv420p -c:v libx264 -preset superfast -refs 2 -g 25 -qp 8 -c:a aac -movflags +faststart "
        "'" +
        path + "' </dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return path;
  }

  static std::unique_ptr<Demuxer> opened(const std::string& path) {
    DemuxerOptions options;
    options.url = path;
    options.options = {{"probesize", "50000"}};
    options.parser_bypass_min_bytes = 1;
    return Demuxer::open(options).value();
  }

  static std::size_t mappings_of(const std::string& path) {
    std::ifstream maps("/proc/self/maps");
    std::size_t count = 0;
    for (std::string line; std::getline(maps, line);) count += line.ends_with(path) ? 1 : 0;
    return count;
  }

  std::string written(const std::string& bytes) {
    auto path = folder_ / "file";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  TestDirectory folder_;
};

const std::string kFileType = std::string("\0\0\0\x10", 4) + "ftypisom" + std::string(4, '\0');

TEST_F(MappedInputTest, PacketsAreInTheMappedFileAndKeepItMapped) {
  auto path = clip();
  ASSERT_GT(std::filesystem::file_size(path), 3u << 20) << "several windows";
  auto demuxer = opened(path);
  std::size_t most = 0;
  std::vector<Packet> kept;
  for (;;) {
    auto packet = demuxer->read();
    ASSERT_TRUE(packet) << packet.error().message;
    if (!*packet) break;
    most = std::max(most, mappings_of(path));
    if (kept.empty() && (*packet)->data.size() > 10'000 && most > 0) kept.push_back(**packet);
  }
  // Of two tracks the newest window each; one that is kept by a packet.
  EXPECT_GE(most, 2u);
  EXPECT_LE(most, 3u);
  ASSERT_EQ(kept.size(), 1u);
  demuxer.reset();
  EXPECT_EQ(mappings_of(path), 1u);
  kept.clear();
  EXPECT_EQ(mappings_of(path), 0u);
}

TEST_F(MappedInputTest, AFileThatIsCutOffMeanwhileIsAnErrorThatNamesIt) {
  auto path = clip();
  auto demuxer = opened(path);
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(demuxer->read());
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 3);
  std::size_t read = 0;
  for (;; ++read) {
    auto packet = demuxer->read();
    if (packet) {
      ASSERT_TRUE(*packet) << "it is not whole";
      continue;
    }
    EXPECT_EQ(packet.error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(packet.error().message, path + ": was cut off while it was read");
    break;
  }
  EXPECT_GT(read, 0u);
}

TEST_F(MappedInputTest, OnlyAnMp4InARegularFile) {
  EXPECT_FALSE(MappedInput::open(folder_ / "none"));
  EXPECT_FALSE(MappedInput::open(folder_ / ""));
  EXPECT_FALSE(MappedInput::open(written("RIFF....AVI LIST")));
  EXPECT_FALSE(MappedInput::open(written("short")));
  EXPECT_TRUE(MappedInput::open(written(kFileType)));
}

TEST_F(MappedInputTest, WhatIsReadThroughTheBufferIsAlwaysRead) {
  auto input = MappedInput::open(written(kFileType + "0123456789"));
  input->leave_packets_unread(true);
  EXPECT_EQ(avio_rb32(input->io()), 16u);
  EXPECT_EQ(avio_size(input->io()), 26);
  EXPECT_EQ(avio_seek(input->io(), 16, SEEK_SET), 16);
  EXPECT_EQ(avio_r8(input->io()), '0');
  EXPECT_EQ(input->packet(0, 16, 10).value().text(), "0123456789");
}

TEST_F(MappedInputTest, APacketIsLeftUnreadAndTakenFromTheFile) {
  auto input = MappedInput::open(written(kFileType + "0123456789"));
  input->leave_packets_unread(true);
  std::string memory = "untouched";
  avio_seek(input->io(), 18, SEEK_SET);
  EXPECT_EQ(avio_read(input->io(), reinterpret_cast<unsigned char*>(memory.data()), 4), 4);
  EXPECT_EQ(memory, "untouched");
  EXPECT_EQ(input->packet(0, 18, 4).value().text(), "2345");

  avio_seek(input->io(), 18, SEEK_SET);
  EXPECT_EQ(avio_read(input->io(), reinterpret_cast<unsigned char*>(memory.data()), 4), 4);
  EXPECT_EQ(input->packet(0, 18, 3).error().code, ErrorCode::kInternal) << "more was left unread";
  EXPECT_EQ(input->packet(0, 22, 5).error().code, ErrorCode::kCorrupt) << "behind the end";

  input->leave_packets_unread(false);
  avio_seek(input->io(), 18, SEEK_SET);
  EXPECT_EQ(avio_read(input->io(), reinterpret_cast<unsigned char*>(memory.data()), 4), 4);
  EXPECT_EQ(memory, "2345uched");
}

}  // namespace
}  // namespace gopline::media
