#pragma once
#include <memory>
#include <optional>
#include <string>

#include "common/record/event_type.h"
#include "common/record/header_codec.h"
#include "common/record/json_fields.h"
#include "common/record/markers.h"

// What all markers have in common; used by their .cpp files only.
namespace gopline::record {

// Adds content-type and ce_xxh3, and puts the record together.
Encoded finish_marker(HeaderWriter headers, const std::string& stream, const Json& value);

// Checks the type and ce_xxh3 and parses the value. The document lives as long as this.
class MarkerDocument {
 public:
  static Result<MarkerDocument> open(EventType type, const Headers& headers, const Buffer& value);
  // The value alone: of a record that was checked, or never was one.
  static Result<MarkerDocument> parse(EventType type, std::string_view value);
  MarkerDocument(MarkerDocument&&) noexcept;
  MarkerDocument& operator=(MarkerDocument&&) noexcept;
  ~MarkerDocument();

  JsonObject root() const;
  const std::optional<Error>& error() const { return *error_; }
  // `value` when everything was there, else what was wrong.
  template <typename T>
  Result<T> finish(T value) {
    if (*error_) return tl::unexpected<Error>(std::move(**error_));
    return value;
  }

 private:
  MarkerDocument();
  std::unique_ptr<Json> json_;
  std::unique_ptr<std::optional<Error>> error_;
  std::string_view name_;
};

std::string stream_from(const JsonObject& in);  // checked as a stream id

Json json_of(const GapFacts& facts);
GapFacts gap_facts_from(const JsonObject& in);
CaptureClock clock_from(const JsonObject& in);
Json json_of(const EpochStarted& marker);
EpochStarted epoch_started_from(const JsonObject& in);

}  // namespace gopline::record
