#include "cli/frame_words.h"

#include "common/base/text.h"

namespace gopline::cli {

std::optional<analyzer::FrameChoice> frames_of(const std::string& words) {
  using Kind = analyzer::FrameChoice::Kind;
  if (words == "all") return analyzer::FrameChoice{Kind::kAll, {0, 1}};
  if (words == "key") return analyzer::FrameChoice{Kind::kKey, {0, 1}};
  Rational rate{0, 1};
  if (auto fraction = parse_rational(words)) {
    rate = *fraction;
  } else {
    auto point = words.find('.');
    auto digits = words.substr(0, point) + (point == std::string::npos ? "" : words.substr(point + 1));
    auto number = parse_int64(digits);
    constexpr std::size_t kMostDigits = 9;
    if (!number || digits.size() > kMostDigits) return std::nullopt;
    rate.num = *number;
    for (auto i = point == std::string::npos ? words.size() : point + 1; i < words.size(); ++i)
      rate.den *= 10;
  }
  if (rate.num <= 0 || rate.den <= 0) return std::nullopt;
  return analyzer::FrameChoice{Kind::kRate, rate};
}

}  // namespace gopline::cli
