#include "common/media/frames/test_pictures.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/media/av_convert.h"
#include "common/media/frames/av_frames.h"

namespace gopline::media {

Picture test_picture(int width, int height) {
  auto frame = *make_frame(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x)
      frame->data[0][y * frame->linesize[0] + x] = static_cast<std::uint8_t>(16 + (x + 2 * y) % 220);
  }
  for (int plane = 1; plane < 3; ++plane)
    std::fill_n(frame->data[plane], frame->linesize[plane] * ((height + 1) / 2), std::uint8_t{128});
  return Picture(std::shared_ptr<const AVFrame>(std::move(frame)));
}

Buffer test_still(const std::string& codec, int width, int height) {
  const auto* encoder = avcodec_find_encoder_by_name(codec.c_str());
  AvCodecContextPtr context(avcodec_alloc_context3(encoder));
  context->width = width;
  context->height = height;
  context->pix_fmt = AV_PIX_FMT_GRAY8;
  context->time_base = {1, 25};
  if (avcodec_open2(context.get(), encoder, nullptr) < 0) return {};
  auto picture = test_picture(width, height);
  AvFramePtr frame(av_frame_alloc());
  frame->format = AV_PIX_FMT_GRAY8;
  frame->width = width;
  frame->height = height;
  if (av_frame_get_buffer(frame.get(), 0) < 0) return {};
  auto from = picture.plane(0);
  for (int y = 0; y < height; ++y)
    std::copy_n(from.data + y * from.stride, width, frame->data[0] + y * frame->linesize[0]);
  AvPacketPtr packet(av_packet_alloc());
  if (avcodec_send_frame(context.get(), frame.get()) < 0) return {};
  avcodec_send_frame(context.get(), nullptr);
  if (avcodec_receive_packet(context.get(), packet.get()) < 0) return {};
  return Buffer::copy(std::span<const std::uint8_t>(packet->data, static_cast<std::size_t>(packet->size)));
}

Buffer with_exif(const Buffer& jpeg, const std::string& taken, std::uint16_t orientation) {
  std::vector<std::uint8_t> tiff{'I', 'I', 42, 0, 8, 0, 0, 0};
  auto u16 = [&](unsigned v) {
    for (int i = 0; i < 2; ++i) tiff.push_back(static_cast<std::uint8_t>(v >> 8 * i));
  };
  auto u32 = [&](unsigned v) {
    for (int i = 0; i < 4; ++i) tiff.push_back(static_cast<std::uint8_t>(v >> 8 * i));
  };
  constexpr unsigned kExifDirectory = 8 + 2 + 2 * 12 + 4, kText = kExifDirectory + 2 + 12 + 4;
  u16(2);
  u16(0x112), u16(3), u32(1), u16(orientation), u16(0);
  u16(0x8769), u16(4), u32(1), u32(kExifDirectory);
  u32(0);
  u16(1);
  u16(0x9003), u16(2), u32(static_cast<unsigned>(taken.size()) + 1), u32(kText);
  u32(0);
  tiff.insert(tiff.end(), taken.begin(), taken.end());
  tiff.push_back(0);
  std::vector<std::uint8_t> out{0xFF, 0xD8, 0xFF, 0xE1};
  auto length = 2 + 6 + tiff.size();
  out.push_back(static_cast<std::uint8_t>(length >> 8));
  out.push_back(static_cast<std::uint8_t>(length));
  for (char one : std::string("Exif\0\0", 6)) out.push_back(static_cast<std::uint8_t>(one));
  out.insert(out.end(), tiff.begin(), tiff.end());
  out.insert(out.end(), jpeg.bytes().begin() + 2, jpeg.bytes().end());
  return Buffer::take(std::move(out));
}

}  // namespace gopline::media
