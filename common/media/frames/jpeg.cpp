#include "common/media/frames/jpeg.h"

#include <algorithm>

#include "common/base/rational.h"
#include "common/media/frames/av_frames.h"

namespace gopline::media {

struct JpegEncoder::State {
  int quality;
  int most_width;
  SwsPtr scaler;
  AvCodecContextPtr context;

  Result<void> open(int width, int height);
  Result<AvFramePtr> full_range(const AVFrame& from, int width, int height);
};

Result<void> JpegEncoder::State::open(int width, int height) {
  const auto* codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
  if (!codec) return fail(ErrorCode::kUnsupported, "this FFmpeg has no encoder of JPEG");
  context.reset(avcodec_alloc_context3(codec));
  if (!context) return fail(ErrorCode::kInternal, "out of memory");
  context->width = width;
  context->height = height;
  context->time_base = {1, 25};
  context->pix_fmt = AV_PIX_FMT_YUV420P;
  context->color_range = AVCOL_RANGE_JPEG;
  context->thread_count = 1;
  context->flags |= AV_CODEC_FLAG_QSCALE;
  context->global_quality = quality * FF_QP2LAMBDA;
  if (int code = avcodec_open2(context.get(), codec, nullptr); code < 0) {
    context.reset();
    return fail_av(code, "the encoder of JPEG");
  }
  return {};
}

Result<AvFramePtr> JpegEncoder::State::full_range(const AVFrame& from, int width, int height) {
  auto format = static_cast<AVPixelFormat>(from.format);
  bool is_full = from.color_range == AVCOL_RANGE_JPEG;
  // As YUVJ420P: between two YUV420P of one size libswscale copies, whatever it was told of their ranges.
  scaler.reset(sws_getCachedContext(scaler.release(), from.width, from.height, format, width, height,
                                    AV_PIX_FMT_YUVJ420P, SWS_AREA | SWS_ACCURATE_RND, nullptr, nullptr,
                                    nullptr));
  if (!scaler) return fail(ErrorCode::kUnsupported, "pictures of this format cannot be made a JPEG");
  const int* coefficients = sws_getCoefficients(SWS_CS_DEFAULT);
  sws_setColorspaceDetails(scaler.get(), coefficients, is_full ? 1 : 0, coefficients, 1, 0, 1 << 16, 1 << 16);
  GOPLINE_ASSIGN(auto frame, make_frame(width, height));
  frame->color_range = AVCOL_RANGE_JPEG;
  sws_scale(scaler.get(), from.data, from.linesize, 0, from.height, frame->data, frame->linesize);
  return frame;
}

JpegEncoder::JpegEncoder(int quality, int most_width) : state_(new State{quality, most_width, {}, {}}) {}
JpegEncoder::~JpegEncoder() = default;

Result<Buffer> JpegEncoder::encode(const Picture& picture) {
  const auto& from = picture.frame();
  int width = from.width, height = from.height;
  if (state_->most_width > 0 && width > state_->most_width) {
    width = state_->most_width;
    height = static_cast<int>(std::max<std::int64_t>(1, rescale(from.height, {width, 1}, {from.width, 1})));
  }
  GOPLINE_ASSIGN(auto frame, state_->full_range(from, width, height));
  // One picture, one encoder: a JPEG's tables are in each.
  GOPLINE_TRY(state_->open(width, height));
  frame->quality = state_->context->global_quality;
  if (int code = avcodec_send_frame(state_->context.get(), frame.get()); code < 0)
    return fail_av(code, "a picture as JPEG");
  AvPacketPtr packet(av_packet_alloc());
  if (!packet) return fail(ErrorCode::kInternal, "out of memory");
  if (int code = avcodec_receive_packet(state_->context.get(), packet.get()); code < 0)
    return fail_av(code, "a picture as JPEG");
  return Buffer::copy(std::span<const std::uint8_t>(packet->data, static_cast<std::size_t>(packet->size)));
}

}  // namespace gopline::media
