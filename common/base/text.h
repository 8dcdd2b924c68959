#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"

// Text forms of values: times, sizes, durations, identifiers. All pure functions.
namespace gopline {

// RFC 3339 in UTC with microseconds: 2026-11-22T18:30:00.000000Z.
std::string format_rfc3339(Timestamp time);
// Accepts 0 to 9 fraction digits (truncated to microseconds), Z or a numeric zone offset, 'T' or a space.
Result<Timestamp> parse_rfc3339(std::string_view text);
// The hour a time lies in, as index.hour ids spell it: 2026-11-22T18.
std::string format_hour(Timestamp time);

// "2s", "500ms", "1.5m", "10min", "2h", "1d"; a bare number is seconds.
Result<Duration> parse_duration(std::string_view text);
std::string format_duration(Duration duration);  // "1:02:03.5", for people

// "16MiB", "64KB", "1.5GB", "100"; KB is 1000, KiB 1024.
Result<std::uint64_t> parse_bytes(std::string_view text);
std::string format_bytes(std::uint64_t bytes);  // "12.3 MB", for people

// RFC 3986: everything but unreserved characters becomes %XX (upper case).
std::string percent_encode(std::string_view text);
Result<std::string> percent_decode(std::string_view text);

bool is_valid_utf8(std::string_view text);

std::string base64_encode(std::span<const std::uint8_t> bytes);
Result<std::vector<std::uint8_t>> base64_decode(std::string_view text);
std::string hex_encode(std::span<const std::uint8_t> bytes);  // lower case

// The whole of `text` as a decimal integer; no sign but '-', no spaces.
Result<std::int64_t> parse_int64(std::string_view text);

// A URL with its password, and any user name, replaced by "***", and so the values of parameters that are
// named like one; other text unchanged. For logs and for epoch.started.
std::string without_secrets(std::string_view url);

}  // namespace gopline
