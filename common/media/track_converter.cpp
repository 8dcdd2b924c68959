#include "common/media/track_converter.h"

#include <algorithm>

#include "common/media/annexb.h"
#include "common/media/av_convert.h"
#include "common/media/side_data_ids.h"

namespace gopline::media {

Result<void> AnnexBConverter::convert(Packet& packet) {
  packet.data = to_length_prefixed(packet.data);
  return {};
}

Result<std::unique_ptr<AdtsConverter>> AdtsConverter::create(const AVStream& stream) {
  auto converter = std::unique_ptr<AdtsConverter>(new AdtsConverter);
  const auto* filter = av_bsf_get_by_name("aac_adtstoasc");
  AVBSFContext* context = nullptr;
  if (!filter || av_bsf_alloc(filter, &context) < 0)
    return fail(ErrorCode::kUnsupported, "aac_adtstoasc is missing");
  converter->filter_.reset(context);
  avcodec_parameters_copy(context->par_in, stream.codecpar);
  context->time_base_in = stream.time_base;
  if (int code = av_bsf_init(context); code < 0) return fail_av(code, "aac_adtstoasc");
  return converter;
}

Result<void> AdtsConverter::convert(Packet& packet) {
  GOPLINE_ASSIGN(auto av, to_av_packet(packet, true));
  if (int code = av_bsf_send_packet(filter_.get(), av.get()); code < 0)
    return fail_av(code, "AAC access unit");
  AvPacketPtr out(av_packet_alloc());
  if (int code = av_bsf_receive_packet(filter_.get(), out.get()); code < 0)
    return fail_av(code, "AAC access unit");
  packet = from_av_packet(*out, packet.track);
  auto config = std::ranges::find(packet.side_data, side_data_ids::kNewExtradata, &SideData::id);
  if (config != packet.side_data.end() && audio_specific_config_.empty()) {
    audio_specific_config_ = config->bytes;
    packet.side_data.erase(config);
  }
  return {};
}

}  // namespace gopline::media
