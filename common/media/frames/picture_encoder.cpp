#include "common/media/frames/picture_encoder.h"

#include <algorithm>
#include <climits>

#include "common/media/frames/encoding.h"

namespace gopline::media {
namespace {

constexpr int kThreads = 2;

class X264Encoder final : public PictureEncoder {
 public:
  X264Encoder(AvCodecContextPtr context, Track track)
      : context_(std::move(context)), track_(std::move(track)) {}

  const Track& track() const override { return track_; }

  Result<void> encode(const Picture& picture, std::int64_t index, std::vector<Packet>& out) override {
    AvFramePtr frame(av_frame_clone(&picture.frame()));
    if (!frame) return fail(ErrorCode::kInternal, "out of memory");
    frame->pts = index;
    frame->pict_type = AV_PICTURE_TYPE_NONE;  // what its decoder made of it would be asked for
    return take(encode_frame(*context_, frame.get(), 0, out), out);
  }

  Result<void> finish(std::vector<Packet>& out) override {
    return take(encode_frame(*context_, nullptr, 0, out), out);
  }

 private:
  // Each picture lasts until the next.
  static Result<void> take(Result<void> encoded, std::vector<Packet>& out) {
    for (auto& packet : out) packet.duration = 1;
    return encoded;
  }

  AvCodecContextPtr context_;
  Track track_;
};

}  // namespace

Result<std::unique_ptr<PictureEncoder>> PictureEncoder::open(const PictureEncoderOptions& options) {
  GOPLINE_ASSIGN(auto context, make_encoder("libx264"));
  auto rate = options.frame_rate;
  context->width = options.width;
  context->height = options.height;
  context->pix_fmt = AV_PIX_FMT_YUV420P;
  context->framerate = to_av(rate);
  context->time_base = {static_cast<int>(rate.den), static_cast<int>(rate.num)};
  context->sample_aspect_ratio = to_av(options.sample_aspect_ratio);
  context->color_range = AVCOL_RANGE_MPEG;
  context->colorspace = options.hd_colours ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
  context->color_primaries = options.hd_colours ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
  context->color_trc = options.hd_colours ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M;
  auto seconds = options.low_delay ? 1 : 2;
  context->gop_size = std::max(1, static_cast<int>(rate.to_double() * seconds + 0.5));
  if (options.pictures_in_gop > 0) context->gop_size = options.pictures_in_gop;
  context->thread_count = kThreads;
  context->rc_max_rate = options.most_bit_rate;
  context->rc_buffer_size = static_cast<int>(std::min<std::int64_t>(options.most_bit_rate, INT_MAX));
  if (wants_global_header(options.container)) context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  AvDictionary settings;
  av_dict_set(&settings.entries, "preset", "veryfast", 0);
  av_dict_set(&settings.entries, "crf", "23", 0);
  if (options.low_delay) av_dict_set(&settings.entries, "tune", "zerolatency", 0);
  if (int code = avcodec_open2(context.get(), nullptr, &settings.entries); code < 0)
    return fail_av(code, fmt::format("libx264 refuses pictures of {}x{}", options.width, options.height));
  GOPLINE_ASSIGN(auto track, track_of(*context, 1));
  return std::make_unique<X264Encoder>(std::move(context), std::move(track));
}

}  // namespace gopline::media
