#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/headers.h"
#include "common/base/rational.h"
#include "common/base/result.h"
#include "common/record/event_type.h"

// How values are spelled in headers; used by segment_headers.cpp and the markers.
namespace gopline::record {

// Appends headers in the order of docs/record-format.md.
class HeaderWriter {
 public:
  // The attributes that every record has: specversion, type, source, id, partitionkey, stream.
  HeaderWriter(EventType type, std::string_view stream, std::string id);

  void text(std::string_view name, std::string value) {
    headers_.push_back({std::string(name), std::move(value)});
  }
  void number(std::string_view name, std::int64_t value);
  void number(std::string_view name, std::uint64_t value);
  void time(std::string_view name, Timestamp value);
  void media_time(std::string_view name, const Rational& value);
  void flag(std::string_view name, bool value);  // written only when true

  Headers take() { return std::move(headers_); }

 private:
  Headers headers_;
};

// Looks names up, remembers which were asked for, and keeps the first thing that is wrong.
class HeaderParser {
 public:
  explicit HeaderParser(const Headers& headers) : headers_(headers), used_(headers.size(), false) {}

  std::string text(std::string_view name);  // required
  std::optional<std::string> optional_text(std::string_view name);
  std::int64_t number(std::string_view name, std::int64_t least = 0);
  std::optional<std::int64_t> optional_number(std::string_view name, std::int64_t least = 0);
  Timestamp time(std::string_view name);
  Rational media_time(std::string_view name);
  std::optional<Rational> optional_media_time(std::string_view name);
  bool flag(std::string_view name);
  void ignore(std::string_view name) { find(name); }

  void complain(Error error);
  const std::optional<Error>& error() const { return error_; }
  int unused() const;  // headers nobody asked for

 private:
  std::optional<std::string_view> find(std::string_view name);
  std::string_view require(std::string_view name);

  const Headers& headers_;
  std::vector<bool> used_;
  std::optional<Error> error_;
};

bool is_hex_digest(std::string_view text, std::size_t digits);  // lower case

}  // namespace gopline::record
