#include "server/multivariant.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gopline::server {

void Variant::need_bandwidth(std::int64_t bits) {
  bandwidth = std::max(bandwidth, bits);
}

void Variant::need_codecs(const std::vector<std::string>& more) {
  for (const auto& codec : more) {
    if (std::find(codecs.begin(), codecs.end(), codec) == codecs.end()) codecs.push_back(codec);
  }
}

std::string render(const std::vector<Variant>& variants) {
  std::string out = "#EXTM3U\n#EXT-X-VERSION:8\n";
  auto score = variants.size();
  for (const auto& variant : variants) {
    out += fmt::format("#EXT-X-STREAM-INF:BANDWIDTH={},SCORE={}.0",
                       std::max<std::int64_t>(variant.bandwidth, 1), score--);
    if (!variant.codecs.empty()) out += fmt::format(",CODECS=\"{}\"", fmt::join(variant.codecs, ","));
    if (variant.width > 0) out += fmt::format(",RESOLUTION={}x{}", variant.width, variant.height);
    out += fmt::format("\n{}\n", variant.uri);
  }
  return out;
}

}  // namespace gopline::server
