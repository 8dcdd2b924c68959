#include "aggregator/track_difference.h"

#include <fmt/format.h>

namespace gopline::aggregator {

std::string track_difference(const std::vector<media::Track>& a, const std::vector<media::Track>& b) {
  if (a.size() != b.size()) return fmt::format("{} tracks instead of {}", b.size(), a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto& one = a[i].codec;
    const auto& other = b[i].codec;
    if (one.codec != other.codec)
      return fmt::format("track {} is {} instead of {}", i + 1, other.codec, one.codec);
    bool picture_differs = one.width != other.width || one.height != other.height;
    if (picture_differs) {
      return fmt::format("track {} is {}x{} instead of {}x{}", i + 1, other.width, other.height, one.width,
                         one.height);
    }
    bool sound_differs = one.sample_rate != other.sample_rate || one.channel_layout != other.channel_layout;
    if (sound_differs) return fmt::format("track {} has another sample rate or channel layout", i + 1);
    // Where parameter sets lie in the stream itself, what stands beside it may differ.
    bool in_band =
        a[i].source_form == media::SourceForm::kAnnexB && b[i].source_form == media::SourceForm::kAnnexB;
    if (!in_band && !(one.extradata == other.extradata))
      return fmt::format("track {} has other codec parameters", i + 1);
  }
  return {};
}

}  // namespace gopline::aggregator
