#include "aggregator/mosaic/frame_rate.h"

#include <cmath>

namespace gopline::aggregator {
namespace {

constexpr double kMostBelievable = 240, kSame = 0.0005;

Rational known_rate(double rate) {
  for (Rational ntsc : {Rational{24'000, 1001}, Rational{30'000, 1001}}) {
    if (std::abs(rate / ntsc.to_double() - 1) < kSame) return ntsc;
  }
  auto whole = static_cast<std::int64_t>(std::lround(rate));
  return {whole < 1 ? 1 : whole, 1};
}

}  // namespace

Rational frame_rate_for(const std::vector<Rational>& said) {
  double highest = 0;
  for (const auto& rate : said) {
    bool believable = rate.num > 0 && rate.den > 0 && rate.to_double() <= kMostBelievable;
    if (believable) highest = std::max(highest, rate.to_double());
  }
  if (highest <= 0) return {kUsualFrameRate, 1};
  return highest > kMostFrameRate ? Rational{kMostFrameRate, 1} : known_rate(highest);
}

}  // namespace gopline::aggregator
