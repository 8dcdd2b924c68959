#pragma once
// Owners of libav handles for decoded media, and the differences between FFmpeg 5.1 and 7.1 in them. Included
// by .cpp files of this room only.
#include <memory>

extern "C" {
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

#include "common/media/av.h"

namespace gopline::media {

struct SwsDeleter {
  void operator()(SwsContext* p) const { sws_freeContext(p); }
};
using SwsPtr = std::unique_ptr<SwsContext, SwsDeleter>;

struct SwrDeleter {
  void operator()(SwrContext* p) const { swr_free(&p); }
};
using SwrPtr = std::unique_ptr<SwrContext, SwrDeleter>;

// AVFrame.duration took the place of pkt_duration in FFmpeg 6.0.
inline std::int64_t duration_of(const AVFrame& frame) {
#if LIBAVUTIL_VERSION_MAJOR >= 58
  return frame.duration;
#else
  return frame.pkt_duration;
#endif
}

// A picture of planes of its own, yuv420p.
inline Result<AvFramePtr> make_frame(int width, int height) {
  AvFramePtr frame(av_frame_alloc());
  if (!frame) return fail(ErrorCode::kInternal, "out of memory");
  frame->format = AV_PIX_FMT_YUV420P;
  frame->width = width;
  frame->height = height;
  if (int code = av_frame_get_buffer(frame.get(), 0); code < 0)
    return fail_av(code, fmt::format("a picture of {}x{}", width, height));
  return frame;
}

}  // namespace gopline::media
