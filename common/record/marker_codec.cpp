#include "common/record/marker_codec.h"

#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "common/bytes/digest.h"
#include "common/record/stream_id.h"

namespace gopline::record {

Encoded finish_marker(HeaderWriter headers, const std::string& stream, const Json& value) {
  auto bytes = Buffer::copy(dump(value));
  headers.text("content-type", "application/json");
  headers.text("ce_xxh3", xxh3_hex(bytes.bytes()));
  return {stream, headers.take(), std::move(bytes)};
}

MarkerDocument::MarkerDocument()
    : json_(std::make_unique<Json>()), error_(std::make_unique<std::optional<Error>>()) {}
MarkerDocument::MarkerDocument(MarkerDocument&&) noexcept = default;
MarkerDocument& MarkerDocument::operator=(MarkerDocument&&) noexcept = default;
MarkerDocument::~MarkerDocument() = default;

Result<MarkerDocument> MarkerDocument::open(EventType type, const Headers& headers, const Buffer& value) {
  GOPLINE_ASSIGN(auto actual, event_type_of(headers));
  if (actual != type) return fail(ErrorCode::kInvalidArgument, "the record is not a {}", to_string(type));
  auto digest = find_header(headers, "ce_xxh3");
  if (!digest) return fail(ErrorCode::kCorrupt, "{}: header ce_xxh3 is missing", to_string(type));
  if (*digest != xxh3_hex(value.bytes())) {
    return fail(ErrorCode::kCorrupt, "{}: the value does not have the hash in ce_xxh3", to_string(type));
  }
  return parse(type, value.text());
}

Result<MarkerDocument> MarkerDocument::parse(EventType type, std::string_view value) {
  MarkerDocument document;
  document.name_ = to_string(type);
  *document.json_ = Json::parse(value, nullptr, false);
  if (document.json_->is_discarded())
    return fail(ErrorCode::kCorrupt, "{}: the value is not JSON", to_string(type));
  return document;
}

JsonObject MarkerDocument::root() const {
  return {*json_, std::string(name_), *error_};
}

std::string stream_from(const JsonObject& in) {
  auto stream = in.text("stream");
  if (auto valid = check_stream_id(stream); !valid) in.complain("stream", valid.error().message);
  return stream;
}

CaptureClock clock_from(const JsonObject& in) {
  auto clock = capture_clock_from(in.text("clock"));
  if (!clock) in.complain("clock", "not ntp, arrival, file or given");
  return clock.value_or(CaptureClock::kFile);
}

Json json_of(const GapFacts& facts) {
  return {{"cause", to_string(facts.cause)},
          {"from", format_rfc3339(facts.from)},
          {"to", format_rfc3339(facts.to)},
          {"bytes", facts.bytes}};
}

GapFacts gap_facts_from(const JsonObject& in) {
  auto cause = gap_cause_from(in.text("cause"));
  if (!cause) in.complain("cause", "not source-outage, over-budget, lost, corrupt or clock");
  return {cause.value_or(GapCause::kLost), in.time("from"), in.time("to"),
          static_cast<std::uint64_t>(in.number("bytes", 0))};
}

}  // namespace gopline::record
