#include <gtest/gtest.h>

#include <algorithm>

#include "common/media/frames/av_frames.h"
#include "common/media/frames/jpeg.h"
#include "common/media/frames/picture_converter.h"

namespace gopline::media {
namespace {

// Brightness rises from left to right.
Picture ramp(int width, int height) {
  auto frame = *make_frame(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x)
      frame->data[0][y * frame->linesize[0] + x] = static_cast<std::uint8_t>(16 + 219 * x / width);
  }
  for (int plane : {1, 2}) {
    for (int y = 0; y < height / 2; ++y)
      std::fill_n(frame->data[plane] + y * frame->linesize[plane], width / 2, std::uint8_t{128});
  }
  return Picture(std::shared_ptr<const AVFrame>(std::move(frame)));
}

TEST(PictureConverter, HandsOnWhatIsAlreadyRight) {
  auto picture = ramp(64, 48);
  for (auto wish :
       {PictureWish{}, PictureWish{PixelFormat::kYuv420p, 64, 0}, PictureWish{PixelFormat::kYuv420p, 0, 0}})
    EXPECT_TRUE(PictureConverter(wish).convert(picture)->is_same(picture));
  auto gray = *PictureConverter({PixelFormat::kGray8, 0, 0}).convert(picture);
  EXPECT_EQ(gray.format(), "gray");
  EXPECT_EQ(gray.plane(0).data, picture.plane(0).data) << "the same memory";
}

TEST(PictureConverter, ScalesAndKeepsTheShape) {
  PictureConverter converter({PixelFormat::kGray8, 32, 0});
  auto small = *converter.convert(ramp(64, 48));
  EXPECT_EQ(small.width(), 32);
  EXPECT_EQ(small.height(), 24);
  EXPECT_NEAR(small.luma(16, 12), 16 + 219 / 2, 4);
  auto other = *converter.convert(ramp(128, 32));  // a picture of another shape
  EXPECT_EQ(other.height(), 8);
  auto colours = *PictureConverter({PixelFormat::kBgr24, 0, 24}).convert(ramp(64, 48));
  EXPECT_EQ(colours.format(), "bgr24");
  EXPECT_EQ(colours.width(), 32);
  const auto* middle = colours.plane(0).data + 12 * colours.plane(0).stride + 3 * 16;
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(middle[i], 128, 8) << "grey, in full range";
}

TEST(PixelFormat, HasANameEach) {
  for (const char* name : {"native", "gray8", "bgr24", "rgb24", "yuv420p"}) {
    auto format = pixel_format_from(name);
    ASSERT_TRUE(format) << name;
    EXPECT_EQ(to_string(*format), name);
  }
  EXPECT_FALSE(pixel_format_from("yuv"));
}

AvFramePtr decode_jpeg(const Buffer& bytes) {
  AvCodecContextPtr context(avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_MJPEG)));
  EXPECT_EQ(avcodec_open2(context.get(), nullptr, nullptr), 0);
  AvPacketPtr packet(av_packet_alloc());
  EXPECT_EQ(av_new_packet(packet.get(), static_cast<int>(bytes.size())), 0);
  std::copy_n(bytes.data(), bytes.size(), packet->data);
  AvFramePtr frame(av_frame_alloc());
  EXPECT_EQ(avcodec_send_packet(context.get(), packet.get()), 0);
  EXPECT_EQ(avcodec_receive_frame(context.get(), frame.get()), 0);
  return frame;
}

TEST(JpegEncoder, MakesAPictureThatOthersOpen) {
  JpegEncoder encoder(2, 32);
  for (int width : {64, 128, 16}) {  // larger, larger still, and small enough
    auto bytes = encoder.encode(ramp(width, width / 2));
    ASSERT_TRUE(bytes) << bytes.error().message;
    auto frame = decode_jpeg(*bytes);
    EXPECT_EQ(frame->width, std::min(width, 32));
    EXPECT_EQ(frame->height, std::min(width, 32) / 2);
    EXPECT_NEAR(frame->data[0][frame->linesize[0] * 4 + frame->width / 2], 128, 12)
        << "full range, as JFIF has it";
  }
}

}  // namespace
}  // namespace gopline::media
