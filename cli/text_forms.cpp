#include "cli/text_forms.h"

#include <fmt/format.h>

#include "common/base/text.h"

namespace gopline::cli {

std::string show_time(std::optional<Timestamp> time) {
  if (!time) return "-";
  auto text = format_rfc3339(*time).substr(0, 23);
  text[10] = ' ';
  return text;
}

std::string show_seconds(const Rational& seconds) {
  auto milliseconds = rescale(seconds.num, Rational{1, seconds.den}, Rational{1, 1000});
  return fmt::format("{}{}.{:03}", milliseconds < 0 ? "-" : "", std::abs(milliseconds) / 1000,
                     std::abs(milliseconds) % 1000);
}

std::string show_count(std::int64_t count) {
  auto digits = std::to_string(count);
  auto first = digits.size() - (count < 0 ? 1 : 0);
  for (std::size_t at = 3; at < first; at += 3) digits.insert(digits.size() - at - (at / 3 - 1), " ");
  return digits;
}

Duration to_duration(const Rational& seconds) {
  return Duration(rescale(seconds.num, Rational{1, seconds.den}, Rational{1, 1'000'000}));
}

std::string show_track(const media::Track& track) {
  const auto& codec = track.codec;
  auto text = codec.codec;
  if (codec.type == media::MediaType::kVideo && codec.width > 0)
    text += fmt::format(" {}x{}", codec.width, codec.height);
  if (codec.type == media::MediaType::kAudio && codec.sample_rate > 0) {
    text += fmt::format(" {:g} kHz", codec.sample_rate / 1000.0);
    if (!codec.channel_layout.empty()) text += " " + codec.channel_layout;
  }
  return text;
}

std::string show_tracks(const std::vector<media::Track>& tracks) {
  std::string text;
  for (const auto& track : tracks) text += (text.empty() ? "" : " + ") + show_track(track);
  return text;
}

}  // namespace gopline::cli
