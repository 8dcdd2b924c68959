#include "common/record/json_fields.h"

#include <nlohmann/json.hpp>

#include "common/base/text.h"

namespace gopline::record {

JsonObject::JsonObject(const Json& value, std::string path, std::optional<Error>& error)
    : value_(&value), path_(std::move(path)), error_(&error) {
  if (!value.is_object() && !error)
    error = Error{ErrorCode::kCorrupt, fmt::format("{} is not a JSON object", path_)};
}

void JsonObject::complain(std::string_view name, std::string_view what) const {
  if (!*error_) *error_ = Error{ErrorCode::kCorrupt, fmt::format("{}.{}: {}", path_, name, what)};
}

const Json* JsonObject::member(std::string_view name) const {
  if (!value_->is_object()) return nullptr;
  auto found = value_->find(name);
  return found == value_->end() || found->is_null() ? nullptr : &*found;
}

const Json* JsonObject::require(std::string_view name) const {
  auto* found = member(name);
  if (!found) complain(name, "missing");
  return found;
}

std::string JsonObject::text(std::string_view name) const {
  auto* found = require(name);
  if (!found) return {};
  if (found->is_string()) return found->get<std::string>();
  complain(name, "not a string");
  return {};
}

std::int64_t JsonObject::number(std::string_view name, std::int64_t least) const {
  auto* found = require(name);
  if (!found) return 0;
  bool fits =
      found->is_number_integer() &&
      !(found->is_number_unsigned() && found->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX));
  if (!fits) return complain(name, "not a whole number"), 0;
  auto value = found->get<std::int64_t>();
  if (value < least) complain(name, fmt::format("{} is below {}", value, least));
  return value;
}

bool JsonObject::flag(std::string_view name) const {
  auto* found = member(name);
  if (found && !found->is_boolean()) return complain(name, "neither true nor false"), false;
  return found && found->get<bool>();
}

Timestamp JsonObject::time(std::string_view name) const {
  auto spelled = text(name);
  if (failed()) return {};
  auto value = parse_rfc3339(spelled);
  if (!value) return complain(name, value.error().message), Timestamp();
  return *value;
}

Rational JsonObject::media_time(std::string_view name) const {
  auto spelled = text(name);
  if (failed()) return {};
  auto value = parse_rational(spelled);
  if (!value) return complain(name, value.error().message), Rational();
  return *value;
}

Buffer JsonObject::bytes(std::string_view name) const {
  auto value = base64_decode(text(name));
  if (!value) return complain(name, value.error().message), Buffer();
  return Buffer::take(std::move(*value));
}

std::string JsonObject::text_or(std::string_view name, std::string_view fallback) const {
  return has(name) ? text(name) : std::string(fallback);
}
std::int64_t JsonObject::number_or(std::string_view name, std::int64_t fallback) const {
  return has(name) ? number(name) : fallback;
}
std::optional<Timestamp> JsonObject::optional_time(std::string_view name) const {
  return has(name) ? std::optional(time(name)) : std::nullopt;
}
std::optional<Rational> JsonObject::optional_media_time(std::string_view name) const {
  return has(name) ? std::optional(media_time(name)) : std::nullopt;
}

namespace {
const Json& empty_object() {
  static const Json kEmpty = Json::object();
  return kEmpty;
}
const Json& empty_array() {
  static const Json kEmpty = Json::array();
  return kEmpty;
}
}  // namespace

JsonObject JsonObject::object(std::string_view name) const {
  auto* found = require(name);
  return element(found ? *found : empty_object(), name);
}

const Json& JsonObject::array(std::string_view name) const {
  auto* found = member(name);
  if (!found) return empty_array();
  if (found->is_array()) return *found;
  complain(name, "not an array");
  return empty_array();
}

JsonObject JsonObject::element(const Json& value, std::string_view name) const {
  return {value, fmt::format("{}.{}", path_, name), *error_};
}

std::map<std::string, std::string> JsonObject::string_map(std::string_view name) const {
  std::map<std::string, std::string> out;
  auto* found = member(name);
  if (!found) return out;
  if (!found->is_object()) return complain(name, "not an object"), out;
  for (const auto& [key, value] : found->items()) {
    if (value.is_string()) {
      out[key] = value.get<std::string>();
    } else {
      out[key] = std::string(element(value, name).bytes("base64").text());
    }
  }
  return out;
}

Json json_of(const std::map<std::string, std::string>& strings) {
  Json out = Json::object();
  for (const auto& [name, value] : strings) {
    std::span raw(reinterpret_cast<const std::uint8_t*>(value.data()), value.size());
    if (is_valid_utf8(value))
      out[name] = value;
    else
      out[name] = Json{{"base64", base64_encode(raw)}};
  }
  return out;
}

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gopline::record
