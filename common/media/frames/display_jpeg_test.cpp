#include "common/media/frames/display_jpeg.h"

#include <gtest/gtest.h>

#include "common/base/test_time.h"
#include "common/media/frames/av_frames.h"
#include "common/media/frames/picture_decoder.h"

namespace gopline::media {
namespace {

// Black above, white below, in limited range.
Picture black_over_white(int width, int height) {
  auto frame = *make_frame(width, height);
  for (int y = 0; y < height; ++y)
    std::fill_n(frame->data[0] + y * frame->linesize[0], width, std::uint8_t(y < height / 2 ? 16 : 235));
  for (int plane = 1; plane < 3; ++plane)
    std::fill_n(frame->data[plane], frame->linesize[plane] * ((height + 1) / 2), std::uint8_t{128});
  return Picture(std::shared_ptr<const AVFrame>(std::move(frame)));
}

Picture read_back(const Buffer& jpeg) {
  Track track;
  track.time_base = {1, 25};
  track.codec.type = MediaType::kVideo;
  track.codec.codec = "mjpeg";
  auto decoder = PictureDecoder::open(track);
  EXPECT_TRUE(decoder);
  Packet packet;
  packet.pts = packet.dts = 0;
  packet.flags = packet_flags::kKey;
  packet.data = jpeg;
  std::vector<DecodedPicture> pictures;
  EXPECT_TRUE((*decoder)->decode(packet, kNoon, pictures));
  (*decoder)->drain(pictures);
  return pictures.empty() ? Picture() : pictures.front().picture;
}

TEST(Jpeg, uses_the_whole_range_of_values) {
  auto jpeg = to_jpeg(black_over_white(64, 64), {}, {0, 1}, 0);
  ASSERT_TRUE(jpeg) << jpeg.error().message;
  EXPECT_EQ(jpeg->bytes()[0], 0xFF);
  EXPECT_EQ(jpeg->bytes()[1], 0xD8);
  auto back = read_back(*jpeg);
  ASSERT_FALSE(back.empty());
  EXPECT_NEAR(back.luma(32, 4), 0, 3);
  EXPECT_NEAR(back.luma(32, 60), 255, 3);
}

TEST(Jpeg, is_made_smaller_and_never_larger) {
  auto width_of = [](int most) {
    return read_back(*to_jpeg(black_over_white(64, 32), {}, {0, 1}, most)).width();
  };
  EXPECT_EQ(width_of(0), 64);
  EXPECT_EQ(width_of(32), 32);
  EXPECT_EQ(width_of(640), 64);
}

TEST(Jpeg, is_as_it_is_to_be_shown) {
  auto wide = read_back(*to_jpeg(black_over_white(64, 32), {}, {2, 1}, 0));
  EXPECT_EQ(wide.width(), 128);
  EXPECT_EQ(wide.height(), 32);
  auto turned = read_back(*to_jpeg(black_over_white(64, 32), {true, false, false}, {0, 1}, 0));
  EXPECT_EQ(turned.width(), 32);
  EXPECT_EQ(turned.height(), 64);
  EXPECT_NEAR(turned.luma(4, 32), 0, 3);
  EXPECT_NEAR(turned.luma(28, 32), 255, 3);
}

}  // namespace
}  // namespace gopline::media
