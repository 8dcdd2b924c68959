#include "common/media/frames/encoding.h"

#include "common/media/av_convert.h"

namespace gopline::media {

bool wants_global_header(const std::string& container) {
  const auto* format = av_guess_format(container == "fmp4" ? "mp4" : container.c_str(), nullptr, nullptr);
  return format && (format->flags & AVFMT_GLOBALHEADER) != 0;
}

Result<AvCodecContextPtr> make_encoder(std::string_view name) {
  const auto* codec = avcodec_find_encoder_by_name(std::string(name).c_str());
  if (!codec) return fail(ErrorCode::kUnsupported, "this FFmpeg has no encoder {}", name);
  AvCodecContextPtr context(avcodec_alloc_context3(codec));
  if (!context) return fail(ErrorCode::kInternal, "out of memory");
  return context;
}

Result<Track> track_of(const AVCodecContext& context, int id) {
  AvCodecParametersPtr parameters(avcodec_parameters_alloc());
  if (!parameters) return fail(ErrorCode::kInternal, "out of memory");
  if (int code = avcodec_parameters_from_context(parameters.get(), &context); code < 0)
    return fail_av(code, "the encoder's parameters");
  Track track;
  track.id = id;
  track.source_index = id - 1;
  track.time_base = from_av(context.time_base);
  track.codec = from_av_parameters(*parameters);
  if (context.codec_type == AVMEDIA_TYPE_VIDEO) {
    track.avg_frame_rate = track.r_frame_rate = from_av(context.framerate);
  }
  return track;
}

Result<void> encode_frame(AVCodecContext& context, const AVFrame* frame, int index,
                          std::vector<Packet>& out) {
  if (int code = avcodec_send_frame(&context, frame); code < 0) return fail_av(code, "the encoder");
  for (;;) {
    AvPacketPtr packet(av_packet_alloc());
    if (!packet) return fail(ErrorCode::kInternal, "out of memory");
    int code = avcodec_receive_packet(&context, packet.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return {};
    if (code < 0) return fail_av(code, "the encoder");
    out.push_back(from_av_packet(*packet, index));
  }
}

}  // namespace gopline::media
