#include "analyzer/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/ranges.h>

#include "common/base/text.h"
#include "common/bytes/digest.h"

namespace gopline::analyzer {
namespace {

constexpr std::string_view kRest = "run=";
constexpr std::int64_t kMostPixels = 16384;

std::optional<double> parse_number(const std::string& text) {
  double value = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

Result<Specification> parse_specification(std::string_view text) {
  auto colon = text.find(':');
  Specification specification{std::string(text.substr(0, colon)), {}, {}};
  if (specification.name.empty()) return fail(ErrorCode::kInvalidArgument, "an analyzer needs a name");
  auto rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  while (!rest.empty()) {
    auto end = rest.starts_with(kRest) ? rest.size() : std::min(rest.find(','), rest.size());
    auto one = rest.substr(0, end);
    auto equals = one.find('=');
    if (equals == 0 || equals == std::string_view::npos)
      return fail(ErrorCode::kInvalidArgument, "{}: '{}' is not key=value", specification.name, one);
    specification.options.emplace_back(one.substr(0, equals), one.substr(equals + 1));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return specification;
}

std::optional<std::string> OptionReader::find(const std::string& key) {
  std::optional<std::string> found;
  for (const auto& [name, value] : specification_.options) {
    if (name == key) found = value;
  }
  return found;
}

void OptionReader::complain(const std::string& key, const std::string& what) {
  if (!error_) error_ = Error{ErrorCode::kInvalidArgument, specification_.name + ": " + key + ": " + what};
}

std::string OptionReader::text(const std::string& key, const std::string& fallback) {
  return read_[key] = find(key).value_or(fallback);
}

double OptionReader::number(const std::string& key, double fallback, double least, double most) {
  auto value = fallback;
  if (auto text = find(key)) {
    auto parsed = parse_number(*text);
    if (!parsed || *parsed < least || *parsed > most)
      complain(key, fmt::format("'{}' is not a number from {} to {}", *text, least, most));
    value = parsed.value_or(fallback);
  }
  read_[key] = fmt::format("{}", value);
  return value;
}

Duration OptionReader::duration(const std::string& key, Duration fallback, Duration least) {
  auto value = fallback;
  if (auto text = find(key)) {
    auto parsed = parse_duration(*text);
    if (!parsed || *parsed < least)
      complain(key, fmt::format("'{}' is not a time from {} on, like 500ms", *text, format_duration(least)));
    value = parsed.value_or(fallback);
  }
  read_[key] = std::to_string(value.count());
  return value;
}

std::string OptionReader::word(const std::string& key, const std::vector<std::string>& words) {
  auto value = find(key).value_or(words.front());
  if (std::ranges::find(words, value) == words.end())
    complain(key, fmt::format("'{}' is not one of {}", value, fmt::join(words, ", ")));
  return read_[key] = value;
}

std::vector<std::string> OptionReader::all(const std::string& key) {
  std::vector<std::string> values;
  for (const auto& [name, value] : specification_.options) {
    if (name == key) values.push_back(value);
  }
  read_[key] = fmt::format("{}", fmt::join(values, "\n"));
  return values;
}

std::pair<int, int> OptionReader::size(const std::string& key, std::pair<int, int> fallback) {
  auto value = fallback;
  if (auto text = find(key)) {
    auto cross = text->find('x');
    auto width = parse_int64(text->substr(0, cross));
    auto height = cross == std::string::npos ? Result<std::int64_t>(0) : parse_int64(text->substr(cross + 1));
    bool good =
        width && height && *width >= 0 && *height >= 0 && *width <= kMostPixels && *height <= kMostPixels;
    if (good) {
      value = {static_cast<int>(*width), static_cast<int>(*height)};
    } else {
      complain(key, "'" + *text + "' is not a size like 320x240 or 320x0");
    }
  }
  read_[key] = fmt::format("{}x{}", value.first, value.second);
  return value;
}

std::string OptionReader::file(const std::string& key, const std::string& fallback) {
  auto path = find(key).value_or(fallback);
  read_[key].clear();
  if (path.empty()) return path;
  path = (std::filesystem::path(specification_.folder) / path).string();
  std::ifstream stream(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (!stream) complain(key, "'" + path + "' cannot be read");
  read_[key] = xxh3_hex(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  return path;
}

Result<void> OptionReader::finish() const {
  if (error_) return tl::unexpected<Error>(*error_);
  for (const auto& [name, value] : specification_.options) {
    if (read_.contains(name)) continue;
    std::vector<std::string> known;
    for (const auto& [key, ignored] : read_) known.push_back(key);
    return fail(ErrorCode::kInvalidArgument, "{} has no option '{}'; it has {}", specification_.name, name,
                known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")));
  }
  return {};
}

std::string OptionReader::digest() const {
  std::string all;
  for (const auto& [key, value] : read_) all += fmt::format("{}={}:{}\n", key, value.size(), value);
  return xxh3_hex(std::span(reinterpret_cast<const std::uint8_t*>(all.data()), all.size()));
}

}  // namespace gopline::analyzer
