#include "common/base/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

namespace gopline {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

bool is_unreserved(unsigned char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A non-negative decimal number followed by a unit, both without spaces between.
std::optional<std::pair<double, std::string_view>> number_and_unit(std::string_view text) {
  double number = 0;
  auto [rest, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || number < 0 || !std::isfinite(number)) return std::nullopt;
  std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  return std::pair{number, unit};
}

}  // namespace

std::string format_rfc3339(Timestamp time) {
  auto day = std::chrono::floor<days>(time);
  year_month_day date(day);
  auto us = (time - day).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     us / 3'600'000'000, us / 60'000'000 % 60, us / 1'000'000 % 60, us % 1'000'000);
}

std::string format_hour(Timestamp time) {
  return format_rfc3339(time).substr(0, 13);
}

Result<Timestamp> parse_rfc3339(std::string_view text) {
  auto bad = [&] {
    return fail(ErrorCode::kInvalidArgument, "'{}' is not a time like 2026-11-22T18:30:00Z (RFC 3339)", text);
  };
  auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return bad();
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't' && text[10] != ' ') ||
      text[13] != ':' || text[16] != ':') {
    return bad();
  }
  year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                      std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return bad();
  std::size_t at = 19;
  std::int64_t micros = 0;
  if (at < text.size() && text[at] == '.') {
    std::size_t first = ++at;
    std::int64_t unit = 100'000;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
      micros += (text[at] - '0') * unit;
    if (at == first || at - first > 9) return bad();
  }
  std::chrono::minutes zone{0};
  if (at < text.size() && (text[at] == 'Z' || text[at] == 'z')) {
    ++at;
  } else {
    auto zone_hour = digits(text, at + 1, 2), zone_minute = digits(text, at + 4, 2);
    if (at >= text.size() || (text[at] != '+' && text[at] != '-') || !zone_hour || !zone_minute ||
        text[at + 3] != ':' || *zone_hour > 23 || *zone_minute > 59) {
      return bad();
    }
    zone = std::chrono::hours(*zone_hour) + std::chrono::minutes(*zone_minute);
    if (text[at] == '-') zone = -zone;
    at += 6;
  }
  if (at != text.size()) return bad();
  return Timestamp(sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
                   std::chrono::seconds(*second) + Duration(micros) - zone);
}

Result<Duration> parse_duration(std::string_view text) {
  auto parsed = number_and_unit(text);
  if (parsed) {
    auto [number, unit] = *parsed;
    double scale = unit == "us"                   ? 1
                   : unit == "ms"                 ? 1e3
                   : unit.empty() || unit == "s"  ? 1e6
                   : unit == "m" || unit == "min" ? 60e6
                   : unit == "h"                  ? 3600e6
                   : unit == "d"                  ? 86400e6
                                                  : 0;
    if (scale > 0 && number * scale < 9e18) return Duration(std::llround(number * scale));
  }
  return fail(ErrorCode::kInvalidArgument, "'{}' is not a duration like 500ms, 2s, 10min, 2h or 7d", text);
}

std::string format_duration(Duration duration) {
  auto us = duration.count();
  std::string sign = us < 0 ? "-" : "";
  us = us < 0 ? -us : us;
  auto hours = us / 3'600'000'000, minutes = us / 60'000'000 % 60, tenths = us / 100'000 % 600;
  if (hours > 0) return fmt::format("{}{}:{:02}:{:02}.{}", sign, hours, minutes, tenths / 10, tenths % 10);
  if (minutes > 0) return fmt::format("{}{}:{:02}.{}", sign, minutes, tenths / 10, tenths % 10);
  return fmt::format("{}{}.{} s", sign, tenths / 10, tenths % 10);
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  auto parsed = number_and_unit(text);
  if (parsed) {
    static constexpr std::array<std::pair<std::string_view, double>, 15> kUnits{{{"", 1.0},
                                                                                 {"B", 1.0},
                                                                                 {"KB", 1e3},
                                                                                 {"kB", 1e3},
                                                                                 {"MB", 1e6},
                                                                                 {"GB", 1e9},
                                                                                 {"TB", 1e12},
                                                                                 {"KiB", 1024.0},
                                                                                 {"MiB", 1048576.0},
                                                                                 {"GiB", 1073741824.0},
                                                                                 {"TiB", 1099511627776.0},
                                                                                 {"K", 1024.0},
                                                                                 {"M", 1048576.0},
                                                                                 {"G", 1073741824.0},
                                                                                 {"T", 1099511627776.0}}};
    for (auto [unit, scale] : kUnits) {
      if (parsed->second == unit && parsed->first * scale < 9e18) {
        return static_cast<std::uint64_t>(std::llround(parsed->first * scale));
      }
    }
  }
  return fail(ErrorCode::kInvalidArgument, "'{}' is not a size like 64KB, 16MiB or 2GB", text);
}

std::string format_bytes(std::uint64_t bytes) {
  static constexpr std::array kUnits{"B", "kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.size()) value /= 1000, ++unit;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (is_unreserved(byte))
      out += c;
    else
      out += fmt::format("%{:02X}", byte);
  }
  return out;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    int high = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
    int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) return fail(ErrorCode::kCorrupt, "'{}' has a '%' without two hex digits", text);
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

bool is_valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    auto lead = static_cast<unsigned char>(text[i]);
    std::size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (length == 0 || i + length > text.size()) return false;
    std::uint32_t point = length == 1 ? lead : lead & (0x7Fu >> length);
    for (std::size_t k = 1; k < length; ++k) {
      auto next = static_cast<unsigned char>(text[i + k]);
      if (next >> 6 != 2) return false;
      point = point << 6 | (next & 0x3F);
    }
    static constexpr std::array<std::uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
    if (length > 1 && point < kLeast[length]) return false;                      // overlong
    if (point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;  // beyond Unicode, surrogates
    i += length;
  }
  return true;
}

namespace {
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}

std::string base64_encode(std::span<const std::uint8_t> bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = bytes[i] << 16 | (i + 1 < bytes.size() ? bytes[i + 1] << 8 : 0) |
                          (i + 2 < bytes.size() ? bytes[i + 2] : 0);
    out += kBase64[group >> 18];
    out += kBase64[group >> 12 & 63];
    out += i + 1 < bytes.size() ? kBase64[group >> 6 & 63] : '=';
    out += i + 2 < bytes.size() ? kBase64[group & 63] : '=';
  }
  return out;
}

Result<std::vector<std::uint8_t>> base64_decode(std::string_view text) {
  std::vector<std::uint8_t> out;
  if (text.size() % 4 != 0) return fail(ErrorCode::kCorrupt, "base64 text of {} characters", text.size());
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t group = 0;
    int padding = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      char c = text[i + k];
      auto index = kBase64.find(c);
      bool may_pad = i + 4 == text.size() && k >= 2;
      if (c == '=' && may_pad)
        ++padding, index = 0;
      else if (index == std::string_view::npos || padding > 0)
        return fail(ErrorCode::kCorrupt, "not base64 text");
      group = group << 6 | static_cast<std::uint32_t>(index);
    }
    out.push_back(static_cast<std::uint8_t>(group >> 16));
    if (padding < 2) out.push_back(static_cast<std::uint8_t>(group >> 8));
    if (padding < 1) out.push_back(static_cast<std::uint8_t>(group));
  }
  return out;
}

std::string hex_encode(std::span<const std::uint8_t> bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (auto byte : bytes) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

Result<std::int64_t> parse_int64(std::string_view text) {
  std::int64_t value = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size()) {
    return fail(ErrorCode::kInvalidArgument, "'{}' is not a whole number", text);
  }
  return value;
}

namespace {

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, [](char a, char b) { return std::tolower(a) == b; });
}

// Cameras take logins in queries and even in paths: rtsp://camera/user=admin&password=secret&channel=1
std::string without_secret_parameters(std::string_view text) {
  constexpr std::array<std::string_view, 10> kSecrets{
      "password", "passwd", "pass", "pwd", "token", "user", "key", "passphrase", "streamkey", "secret"};
  constexpr std::string_view kEnds = "/?#&;";
  std::string out;
  while (!text.empty()) {
    auto end = text.find_first_of(kEnds);
    auto part = text.substr(0, end);
    auto equals = part.find('=');
    bool is_secret = equals != std::string_view::npos && equals + 1 < part.size() &&
                     std::ranges::any_of(kSecrets, [&](auto name) {
                       return equals_ignoring_case(part.substr(0, equals), name);
                     });
    out += is_secret ? fmt::format("{}=***", part.substr(0, equals)) : std::string(part);
    if (end == std::string_view::npos) break;
    out += text[end];
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace

std::string without_secrets(std::string_view url) {
  auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);
  auto authority = scheme + 3;
  auto end = std::min(url.find_first_of("/?#", authority), url.size());
  auto at = url.substr(0, end).rfind('@');
  bool has_login = at != std::string_view::npos && at >= authority;
  return fmt::format("{}{}{}{}", url.substr(0, authority), has_login ? "***" : "",
                     url.substr(has_login ? at : authority, end - (has_login ? at : authority)),
                     without_secret_parameters(url.substr(end)));
}

}  // namespace gopline
