#include "common/media/known_streams.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace gopline::media {
namespace {

std::span<const std::uint8_t> extradata_of(const AVCodecParameters& codec) {
  return {codec.extradata, static_cast<std::size_t>(codec.extradata_size)};
}

bool is_same(const AVStream& a, const AVStream& b) {
  auto x = extradata_of(*a.codecpar), y = extradata_of(*b.codecpar);
  return a.id == b.id && a.codecpar->codec_id == b.codecpar->codec_id &&
         av_cmp_q(a.time_base, b.time_base) == 0 && std::equal(x.begin(), x.end(), y.begin(), y.end());
}

}  // namespace

bool take_over_stream_info(const AVFormatContext& known, AVFormatContext& again) {
  if (!std::string_view(again.iformat->name).starts_with("mov,") || again.nb_streams != known.nb_streams)
    return false;
  for (unsigned i = 0; i < again.nb_streams; ++i) {
    if (!is_same(*known.streams[i], *again.streams[i])) return false;
  }
  for (unsigned i = 0; i < again.nb_streams; ++i) {
    const auto& from = *known.streams[i];
    auto& to = *again.streams[i];
    if (avcodec_parameters_copy(to.codecpar, from.codecpar) < 0) return false;
    to.avg_frame_rate = from.avg_frame_rate;
    to.r_frame_rate = from.r_frame_rate;
    to.sample_aspect_ratio = from.sample_aspect_ratio;
  }
  return true;
}

}  // namespace gopline::media
