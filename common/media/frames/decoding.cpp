#include "common/media/frames/decoding.h"

#include "common/media/av_convert.h"

namespace gopline::media {

Result<AvCodecContextPtr> open_decoder(const Track& track) {
  GOPLINE_ASSIGN(auto parameters, to_av_parameters(track.codec));
  const auto* codec = avcodec_find_decoder(parameters->codec_id);
  if (!codec) return fail(ErrorCode::kUnsupported, "this FFmpeg cannot decode {}", track.codec.codec);
  AvCodecContextPtr context(avcodec_alloc_context3(codec));
  if (!context) return fail(ErrorCode::kInternal, "out of memory");
  if (int code = avcodec_parameters_to_context(context.get(), parameters.get()); code < 0)
    return fail_av(code, "the decoder of " + track.codec.codec);
  context->pkt_timebase = to_av(Rational{1, 1'000'000});
  context->thread_count = 1;
  if (int code = avcodec_open2(context.get(), codec, nullptr); code < 0)
    return fail_av(code, "the decoder of " + track.codec.codec);
  return context;
}

}  // namespace gopline::media
