#include "common/media/late_parameters.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

namespace gopline::media {
namespace {

AvBsfPtr make_extractor(const AVCodecParameters& codec) {
  AVBSFContext* context = nullptr;
  const auto* filter = av_bsf_get_by_name("extract_extradata");
  if (!filter || av_bsf_alloc(filter, &context) < 0) return nullptr;
  AvBsfPtr extractor(context);
  if (avcodec_parameters_copy(context->par_in, &codec) < 0 || av_bsf_init(context) < 0) return nullptr;
  return extractor;
}

AvCodecContextPtr make_decoder(const AVCodecParameters& codec) {
  const auto* decoder = avcodec_find_decoder(codec.codec_id);
  AvCodecContextPtr context(decoder ? avcodec_alloc_context3(decoder) : nullptr);
  if (!context || avcodec_parameters_to_context(context.get(), &codec) < 0) return nullptr;
  context->thread_count = 1;
  if (avcodec_open2(context.get(), decoder, nullptr) < 0) return nullptr;
  return context;
}

}  // namespace

LateParameters::LateParameters(const AVFormatContext& input, Suffices suffices)
    : suffices_(std::move(suffices)) {
  for (auto* stream : std::span(input.streams, input.nb_streams)) {
    if (suffices_(*stream)) continue;
    wanted_.push_back({stream, make_extractor(*stream->codecpar), make_decoder(*stream->codecpar)});
  }
}

void LateParameters::observe(const AVPacket& packet) {
  auto found = std::ranges::find_if(
      wanted_, [&](const auto& wanted) { return wanted.stream->index == packet.stream_index; });
  if (found == wanted_.end()) return;
  if (found->extractor) take_extradata(*found, packet);
  bool may_decode = !found->extractor || found->stream->codecpar->extradata_size > 0;
  if (found->decoder && may_decode) decode(*found, packet);
  if (suffices_(*found->stream)) wanted_.erase(found);
}

void LateParameters::take_extradata(Wanted& wanted, const AVPacket& packet) const {
  AvPacketPtr copy(av_packet_clone(&packet));
  if (!copy || av_bsf_send_packet(wanted.extractor.get(), copy.get()) < 0) return;
  AvPacketPtr filtered(av_packet_alloc());
  auto& codec = *wanted.stream->codecpar;
  while (filtered && av_bsf_receive_packet(wanted.extractor.get(), filtered.get()) >= 0) {
    std::size_t size = 0;
    const auto* bytes = av_packet_get_side_data(filtered.get(), AV_PKT_DATA_NEW_EXTRADATA, &size);
    if (bytes && codec.extradata_size == 0) {
      codec.extradata = static_cast<std::uint8_t*>(av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE));
      if (codec.extradata) {
        std::memcpy(codec.extradata, bytes, size);
        codec.extradata_size = static_cast<int>(size);
      }
    }
    av_packet_unref(filtered.get());
  }
}

// What it cannot decode says nothing; the next one may.
void LateParameters::decode(Wanted& wanted, const AVPacket& packet) const {
  auto& decoder = *wanted.decoder;
  if (avcodec_send_packet(&decoder, &packet) < 0) return;
  AvFramePtr frame(av_frame_alloc());
  while (frame && avcodec_receive_frame(&decoder, frame.get()) >= 0) av_frame_unref(frame.get());
  if (decoder.width <= 0) return;
  auto& codec = *wanted.stream->codecpar;
  codec.width = decoder.width;
  codec.height = decoder.height;
  codec.format = decoder.pix_fmt;
  codec.profile = decoder.profile;
  codec.level = decoder.level;
  codec.video_delay = decoder.has_b_frames;
  codec.field_order = decoder.field_order;
  codec.sample_aspect_ratio = decoder.sample_aspect_ratio;
  codec.color_range = decoder.color_range;
  codec.color_primaries = decoder.color_primaries;
  codec.color_trc = decoder.color_trc;
  codec.color_space = decoder.colorspace;
  codec.chroma_location = decoder.chroma_sample_location;
}

}  // namespace gopline::media
