#include "bench/segments/plan.h"

#include <algorithm>
#include <array>

#include "common/base/text.h"

namespace gopline::bench {
namespace {

constexpr std::uint64_t kSmallest = 128, kLargest = 1'000'000'000;

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    auto end = std::min(text.find(separator, begin), text.size());
    parts.push_back(trim(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return parts;
}

// A step of a size ladder. 1024 kB are 1 MB to whoever counts in thousands.
std::uint64_t four_times(std::uint64_t bytes) {
  auto next = 4 * bytes;
  for (std::uint64_t unit : {1'000'000'000ULL, 1'000'000ULL, 1'000ULL}) {
    if (next % (1024 * unit) == 0) return next / 1024 * 1000;
  }
  return next;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  GOPLINE_ASSIGN(auto bytes, parse_bytes(text));
  if (bytes >= kSmallest && bytes <= kLargest) return bytes;
  return fail(ErrorCode::kInvalidArgument, "a payload of '{}': sizes go from {} B to 1GB", text, kSmallest);
}

// 1, 2, 5, 10, 20, ... times a power of ten that is not above a microsecond's.
Duration next_rung(Duration duration) {
  for (Duration::rep scale = 1;; scale *= 10) {
    for (auto step : {2, 5, 10}) {
      if (Duration(scale * step) > duration) return Duration(scale * step);
    }
  }
}

template <typename Value, typename Parse, typename Next>
Result<std::vector<Value>> parse_ladder(std::string_view text, Parse parse, Next next, int near) {
  std::vector<Value> out;
  for (auto part : split(text, ',')) {
    auto dots = part.find("..");
    GOPLINE_ASSIGN(Value value, parse(trim(part.substr(0, dots))));
    if (dots == std::string_view::npos) {
      out.push_back(value);
      continue;
    }
    GOPLINE_ASSIGN(Value last, parse(trim(part.substr(dots + 2))));
    if (last < value) return fail(ErrorCode::kInvalidArgument, "'{}' goes down: smallest..largest", part);
    // A rung close below the end would be the end measured twice.
    for (; value < last && near * (last - value) > value; value = next(value)) out.push_back(value);
    out.push_back(last);
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::string chunk_suffix(std::uint64_t bytes) {
  if (bytes % (1 << 20) == 0) return fmt::format("{}MiB", bytes >> 20);
  if (bytes % (1 << 10) == 0) return fmt::format("{}KiB", bytes >> 10);
  return std::to_string(bytes);
}

}  // namespace

std::string to_string(const Strategy& strategy) {
  if (strategy.is_raw) return "raw";
  std::string name(payload::to_string(strategy.ours));
  return strategy.chunk_bytes == 0 ? name : name + "@" + chunk_suffix(strategy.chunk_bytes);
}

Result<Strategy> strategy_from(std::string_view text) {
  Strategy out;
  if (text == "raw") {
    out.is_raw = true;
    return out;
  }
  auto at = text.find('@');
  auto ours = payload::strategy_from(text.substr(0, at));
  if (!ours) {
    return fail(ErrorCode::kInvalidArgument, "'{}' is none of inline, chunk, chunk@SIZE, claim, auto and raw",
                text);
  }
  out.ours = *ours;
  if (at == std::string_view::npos) return out;
  if (out.ours != payload::Strategy::kChunk) {
    return fail(ErrorCode::kInvalidArgument, "'{}': only chunk takes a size, like chunk@512KiB", text);
  }
  GOPLINE_ASSIGN(out.chunk_bytes, parse_size(text.substr(at + 1)));
  return out;
}

std::string title_of(const Case& c) {
  auto what = c.duration ? show_seconds_short(*c.duration) + " of video" : show_size(c.bytes);
  return what + ", " + to_string(c.strategy);
}

Result<std::vector<std::uint64_t>> parse_sizes(std::string_view text) {
  return parse_ladder<std::uint64_t>(text, parse_size, four_times, 2);
}

Result<std::vector<Duration>> parse_durations(std::string_view text) {
  auto parse = [](std::string_view word) -> Result<Duration> {
    GOPLINE_ASSIGN(auto duration, parse_duration(word));
    if (duration >= std::chrono::milliseconds(1)) return duration;
    return fail(ErrorCode::kInvalidArgument, "'{}' is too short for a segment: like 0.5s or 2s", word);
  };
  return parse_ladder<Duration>(text, parse, next_rung, 5);
}

Result<std::vector<Strategy>> parse_strategies(std::string_view text) {
  std::vector<Strategy> out;
  for (auto name : split(text, ',')) {
    GOPLINE_ASSIGN(auto strategy, strategy_from(name));
    if (std::ranges::find(out, strategy) == out.end()) out.push_back(strategy);
  }
  return out;
}

std::vector<Case> make_plan(const std::vector<std::uint64_t>& sizes, const std::vector<Duration>& durations,
                            const std::vector<Strategy>& strategies) {
  std::vector<Case> plan;
  for (auto bytes : sizes) {
    for (const auto& strategy : strategies) plan.push_back({strategy, bytes, std::nullopt});
  }
  for (auto duration : durations) {
    for (const auto& strategy : strategies) plan.push_back({strategy, 0, duration});
  }
  return plan;
}

double default_rate(std::uint64_t bytes, double slowest_per_second) {
  return std::min(0.3 * slowest_per_second, bytes >= 1'000'000 ? 10.0 : 200.0);
}

std::string show_size(std::uint64_t bytes) {
  static constexpr std::array kUnits{"B", "KB", "MB", "GB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) value /= 1000, ++unit;
  return fmt::format("{:.3g} {}", value, kUnits[unit]);
}

std::string show_seconds_short(Duration duration) {
  return fmt::format("{:.3g} s", static_cast<double>(duration.count()) / 1e6);
}

}  // namespace gopline::bench
