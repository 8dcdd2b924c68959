#include "common/media/parameter_change.h"

#include <algorithm>

#include "common/bytes/big_endian.h"
#include "common/media/access_point.h"
#include "common/media/av_convert.h"
#include "common/media/side_data_ids.h"

namespace gopline::media {
namespace {

std::string bytes_of(Nal nal) {
  return {reinterpret_cast<const char*>(nal.data()), nal.size()};
}

// Asks the decoder what the new extradata means: picture size, profile, pixel format. What it cannot tell
// stays as it was.
Track with_extradata(Track track, Buffer extradata) {
  track.codec.extradata = std::move(extradata);
  auto parameters = to_av_parameters(track.codec);
  if (!parameters) return track;
  const AVCodec* decoder = avcodec_find_decoder((*parameters)->codec_id);
  AvCodecContextPtr context(avcodec_alloc_context3(decoder));
  if (!decoder || !context || avcodec_parameters_to_context(context.get(), parameters->get()) < 0)
    return track;
  context->thread_count = 1;
  if (avcodec_open2(context.get(), decoder, nullptr) < 0 || context->width <= 0) return track;
  track.codec.width = context->width;
  track.codec.height = context->height;
  track.codec.profile = context->profile;
  track.codec.level = context->level;
  return track;
}

Buffer annexb_of(const std::vector<Nal>& nals) {
  ByteWriter out;
  for (auto nal : nals) {
    out.u32(1);
    out.raw(nal);
  }
  return Buffer::take(out.take());
}

}  // namespace

ParameterWatch::ParameterWatch(const Track& track) : track_(track) {
  for (auto nal : parameter_sets_of(track)) {
    if (is_sequence_parameter_set(track, nal)) sequence_sets_.push_back(bytes_of(nal));
  }
}

std::optional<Track> ParameterWatch::observe(const Packet& packet) {
  auto side = std::ranges::find(packet.side_data, side_data_ids::kNewExtradata, &SideData::id);
  if (side != packet.side_data.end() && side->bytes != track_.codec.extradata) {
    track_ = with_extradata(track_, side->bytes);
    return track_;
  }
  if (!packet.is_key() || track_.codec.type != MediaType::kVideo) return std::nullopt;
  auto sets = parameter_sets_in(track_, packet);
  std::vector<std::string> sequence_sets;
  for (auto nal : sets) {
    if (is_sequence_parameter_set(track_, nal)) sequence_sets.push_back(bytes_of(nal));
  }
  bool known = std::ranges::all_of(sequence_sets, [&](const auto& set) {
    return std::ranges::find(sequence_sets_, set) != sequence_sets_.end();
  });
  if (known) return std::nullopt;
  bool first =
      sequence_sets_.empty();  // the source's header had none: these are the parameters it begins with
  sequence_sets_ = std::move(sequence_sets);
  if (first) return std::nullopt;
  track_ = with_extradata(track_, annexb_of(sets));
  return track_;
}

}  // namespace gopline::media
