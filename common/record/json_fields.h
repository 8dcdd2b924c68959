#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/base/clock.h"
#include "common/base/rational.h"
#include "common/base/result.h"
#include "common/bytes/buffer.h"
#include "common/media/types.h"

// How values are spelled in the JSON of markers; used by their .cpp files only.
namespace gopline::record {

using Json = nlohmann::ordered_json;  // members stay in the order of docs/record-format.md

// Reads members of one object and keeps the first thing that is wrong, with the member's path. A member that
// is null counts as missing. Members nobody asks for are ignored.
class JsonObject {
 public:
  // `value` must outlive this; `error` is shared by all objects of one document.
  JsonObject(const Json& value, std::string path, std::optional<Error>& error);

  std::string text(std::string_view name) const;  // required, as all of these
  std::int64_t number(std::string_view name,
                      std::int64_t least = std::numeric_limits<std::int64_t>::min()) const;
  bool flag(std::string_view name) const;  // absent: false
  Timestamp time(std::string_view name) const;
  Rational media_time(std::string_view name) const;
  Buffer bytes(std::string_view name) const;  // base64

  std::string text_or(std::string_view name, std::string_view fallback) const;
  std::int64_t number_or(std::string_view name, std::int64_t fallback) const;
  std::optional<Timestamp> optional_time(std::string_view name) const;
  std::optional<Rational> optional_media_time(std::string_view name) const;

  bool has(std::string_view name) const { return member(name) != nullptr; }
  JsonObject object(std::string_view name) const;  // required
  // Elements of an array; absent: none. complain()s where it is not one.
  const Json& array(std::string_view name) const;
  JsonObject element(const Json& value, std::string_view name) const;
  std::map<std::string, std::string> string_map(std::string_view name) const;

  void complain(std::string_view name, std::string_view what) const;
  const Json& value() const { return *value_; }
  bool failed() const { return error_->has_value(); }

 private:
  const Json* member(std::string_view name) const;
  const Json* require(std::string_view name) const;

  const Json* value_;
  std::string path_;
  std::optional<Error>* error_;
};

Json json_of(
    const std::map<std::string, std::string>& strings);  // values that are not UTF-8: {"base64": ...}
std::string dump(const Json& value);                     // compact; text that is not UTF-8 gets U+FFFD

Json json_of(const media::Track& track);
media::Track track_from(const JsonObject& in);
Json json_of(const media::SourceInfo& source);
media::SourceInfo source_from(const JsonObject& in);

}  // namespace gopline::record
