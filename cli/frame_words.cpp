#include "cli/frame_words.h"

#include "cli/picture_options.h"

namespace gopline::cli {

std::optional<analyzer::FrameChoice> frames_of(const std::string& words) {
  using Kind = analyzer::FrameChoice::Kind;
  if (words == "all") return analyzer::FrameChoice{Kind::kAll, {0, 1}};
  if (words == "key") return analyzer::FrameChoice{Kind::kKey, {0, 1}};
  auto rate = parse_rate(words);
  if (!rate) return std::nullopt;
  return analyzer::FrameChoice{Kind::kRate, *rate};
}

}  // namespace gopline::cli
