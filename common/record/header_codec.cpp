#include "common/record/header_codec.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/record/stream_id.h"

namespace gopline::record {

HeaderWriter::HeaderWriter(EventType type, std::string_view stream, std::string id) {
  headers_.reserve(28);
  text("ce_specversion", "1.0");
  text("ce_type", std::string(to_string(type)));
  text("ce_source", source_of_stream(stream));
  text("ce_id", std::move(id));
  text("ce_partitionkey", std::string(stream));
  text("ce_stream", std::string(stream));
}

void HeaderWriter::number(std::string_view name, std::int64_t value) {
  text(name, std::to_string(value));
}
void HeaderWriter::number(std::string_view name, std::uint64_t value) {
  text(name, std::to_string(value));
}
void HeaderWriter::time(std::string_view name, Timestamp value) {
  text(name, format_rfc3339(value));
}
void HeaderWriter::media_time(std::string_view name, const Rational& value) {
  text(name, gopline::to_string(value));
}
void HeaderWriter::flag(std::string_view name, bool value) {
  if (value) text(name, "true");
}

void HeaderParser::complain(Error error) {
  if (!error_) error_ = std::move(error);
}

std::optional<std::string_view> HeaderParser::find(std::string_view name) {
  for (std::size_t i = 0; i < headers_.size(); ++i) {
    if (headers_[i].name != name) continue;
    used_[i] = true;
    return headers_[i].value;
  }
  return std::nullopt;
}

std::string_view HeaderParser::require(std::string_view name) {
  auto value = find(name);
  if (!value) complain({ErrorCode::kCorrupt, fmt::format("header {} is missing", name)});
  return value.value_or(std::string_view());
}

std::string HeaderParser::text(std::string_view name) {
  return std::string(require(name));
}

std::optional<std::string> HeaderParser::optional_text(std::string_view name) {
  auto value = find(name);
  return value ? std::optional(std::string(*value)) : std::nullopt;
}

namespace {
template <typename T>
T value_or_complaint(HeaderParser& parser, std::string_view name, Result<T> value) {
  if (value) return *value;
  parser.complain({ErrorCode::kCorrupt, fmt::format("header {}: {}", name, value.error().message)});
  return T{};
}
}  // namespace

std::int64_t HeaderParser::number(std::string_view name, std::int64_t least) {
  auto text = require(name);
  if (error_) return least;
  auto value = value_or_complaint(*this, name, parse_int64(text));
  if (value < least)
    complain({ErrorCode::kCorrupt, fmt::format("header {}: {} is below {}", name, value, least)});
  return value;
}

std::optional<std::int64_t> HeaderParser::optional_number(std::string_view name, std::int64_t least) {
  return find(name) ? std::optional(number(name, least)) : std::nullopt;
}

Timestamp HeaderParser::time(std::string_view name) {
  auto text = require(name);
  return error_ ? Timestamp() : value_or_complaint(*this, name, parse_rfc3339(text));
}

Rational HeaderParser::media_time(std::string_view name) {
  auto text = require(name);
  return error_ ? Rational() : value_or_complaint(*this, name, parse_rational(text));
}

std::optional<Rational> HeaderParser::optional_media_time(std::string_view name) {
  return find(name) ? std::optional(media_time(name)) : std::nullopt;
}

bool HeaderParser::flag(std::string_view name) {
  auto value = find(name);
  if (value && *value != "true" && *value != "false") {
    complain({ErrorCode::kCorrupt, fmt::format("header {}: '{}' is neither true nor false", name, *value)});
  }
  return value == "true";
}

int HeaderParser::unused() const {
  return static_cast<int>(std::count(used_.begin(), used_.end(), false));
}

bool is_hex_digest(std::string_view text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace gopline::record
