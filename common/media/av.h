#pragma once
// Owners of libav handles, and the differences between FFmpeg 5.1 (Debian 12) and 7.1 (Debian 13), in one
// place. Included by .cpp files of this room only.
#include <memory>
#include <optional>
#include <string>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/channel_layout.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
}

#include "common/base/rational.h"
#include "common/base/result.h"

// AVCodecParameters.coded_side_data took the place of AVStream.side_data in FFmpeg 6.1.
#define GOPLINE_AV_CODECPAR_SIDE_DATA (LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 100))

namespace gopline::media {

struct AvPacketDeleter {
  void operator()(AVPacket* p) const { av_packet_free(&p); }
};
using AvPacketPtr = std::unique_ptr<AVPacket, AvPacketDeleter>;

struct AvFrameDeleter {
  void operator()(AVFrame* p) const { av_frame_free(&p); }
};
using AvFramePtr = std::unique_ptr<AVFrame, AvFrameDeleter>;

struct AvCodecParametersDeleter {
  void operator()(AVCodecParameters* p) const { avcodec_parameters_free(&p); }
};
using AvCodecParametersPtr = std::unique_ptr<AVCodecParameters, AvCodecParametersDeleter>;

struct AvInputDeleter {
  void operator()(AVFormatContext* p) const { avformat_close_input(&p); }
};
using AvInputPtr = std::unique_ptr<AVFormatContext, AvInputDeleter>;

struct AvOutputDeleter {  // does not close pb: its owner does
  void operator()(AVFormatContext* p) const { avformat_free_context(p); }
};
using AvOutputPtr = std::unique_ptr<AVFormatContext, AvOutputDeleter>;

struct AvBsfDeleter {
  void operator()(AVBSFContext* p) const { av_bsf_free(&p); }
};
using AvBsfPtr = std::unique_ptr<AVBSFContext, AvBsfDeleter>;

struct AvCodecContextDeleter {
  void operator()(AVCodecContext* p) const { avcodec_free_context(&p); }
};
using AvCodecContextPtr = std::unique_ptr<AVCodecContext, AvCodecContextDeleter>;

struct AvParserDeleter {
  void operator()(AVCodecParserContext* p) const { av_parser_close(p); }
};
using AvParserPtr = std::unique_ptr<AVCodecParserContext, AvParserDeleter>;

struct AvDictionary {
  AVDictionary* entries = nullptr;
  AvDictionary() = default;
  AvDictionary(const AvDictionary&) = delete;
  AvDictionary& operator=(const AvDictionary&) = delete;
  ~AvDictionary() { av_dict_free(&entries); }
};

struct AvIoContextDeleter {  // for contexts made by avio_alloc_context
  void operator()(AVIOContext* p) const {
    if (p) av_freep(&p->buffer);
    avio_context_free(&p);
  }
};
using AvIoContextPtr = std::unique_ptr<AVIOContext, AvIoContextDeleter>;

inline std::string av_error_text(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof text);
  return text;
}

// A libav error code as an Error: errno values keep their kind, AVERROR_INVALIDDATA is kCorrupt, AVERROR_EXIT
// kCancelled.
tl::unexpected<Error> fail_av(int code, std::string_view what);

// How a peer says no: kPermissionDenied, kNotFound, kUnavailable. nullopt: it has not.
std::optional<Error> refusal_of(int code);

inline AVRational to_av(Rational r) {
  return {static_cast<int>(r.num), static_cast<int>(r.den)};
}
inline Rational from_av(AVRational r) {
  return {r.num, r.den};
}

}  // namespace gopline::media
