#include "server/access/users.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "server/access/signature.h"

namespace gopline::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongestName = 64;

// The member as text; empty where it is not there. kInvalidArgument: it is something else.
Result<std::string> text_in(const Json& object, const char* name) {
  auto found = object.find(name);
  if (found == object.end()) return std::string();
  if (!found->is_string()) return fail(ErrorCode::kInvalidArgument, "\"{}\" is not a text", name);
  return found->get<std::string>();
}

Result<Json> list_in(const Json& object, const char* name) {
  auto found = object.find(name);
  if (found == object.end()) return Json::array();
  if (!found->is_array()) return fail(ErrorCode::kInvalidArgument, "\"{}\" is not a list", name);
  return *found;
}

Result<void> check_names(const Json& object, const std::set<std::string>& known) {
  if (!object.is_object()) return fail(ErrorCode::kInvalidArgument, "not an object");
  for (const auto& [name, value] : object.items()) {
    // A right that is spelled wrongly must not be one that is passed over.
    if (!known.contains(name)) return fail(ErrorCode::kInvalidArgument, "\"{}\" means nothing here", name);
  }
  return {};
}

Result<Token> parse_token(const Json& json) {
  GOPLINE_TRY(check_names(json, {"name", "sha256", "until"}));
  Token token;
  GOPLINE_ASSIGN(token.name, text_in(json, "name"));
  GOPLINE_ASSIGN(token.sha256, text_in(json, "sha256"));
  GOPLINE_ASSIGN(auto until, text_in(json, "until"));
  if (token.sha256.size() != 64) return fail(ErrorCode::kInvalidArgument, "a token has no \"sha256\"");
  if (!until.empty()) {
    GOPLINE_ASSIGN(token.until, parse_rfc3339(until));
  }
  return token;
}

Result<User> parse_user(const Json& json) {
  GOPLINE_TRY(check_names(json, {"name", "role", "streams", "password", "tokens"}));
  User user;
  GOPLINE_ASSIGN(user.name, text_in(json, "name"));
  GOPLINE_TRY(check_user_name(user.name));
  GOPLINE_ASSIGN(auto role, text_in(json, "role"));
  auto known = role_from(role);
  if (!known)
    return fail(ErrorCode::kInvalidArgument, "{}: its role is viewer, exporter or admin", user.name);
  user.role = *known;
  GOPLINE_ASSIGN(user.password, text_in(json, "password"));
  GOPLINE_ASSIGN(auto streams, list_in(json, "streams"));
  for (const auto& pattern : streams) {
    if (!pattern.is_string())
      return fail(ErrorCode::kInvalidArgument, "{}: its streams are texts", user.name);
    user.streams.push_back(pattern.get<std::string>());
  }
  GOPLINE_ASSIGN(auto tokens, list_in(json, "tokens"));
  for (const auto& one : tokens) {
    auto token = parse_token(one);
    if (!token) return fail_with_context(user.name, token.error());
    user.tokens.push_back(std::move(*token));
  }
  return user;
}

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::kViewer:
      return "viewer";
    case Role::kExporter:
      return "exporter";
    case Role::kAdmin:
      return "admin";
  }
  return "";
}

std::optional<Role> role_from(std::string_view text) {
  for (auto role : {Role::kViewer, Role::kExporter, Role::kAdmin}) {
    if (to_string(role) == text) return role;
  }
  return std::nullopt;
}

bool matches_pattern(const std::string& pattern, const std::string& text) {
  return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

bool User::covers(const std::string& stream) const {
  return std::any_of(streams.begin(), streams.end(),
                     [&](const auto& pattern) { return matches_pattern(pattern, stream); });
}

const User* Users::find(std::string_view name) const {
  auto found = std::find_if(users.begin(), users.end(), [&](const User& user) { return user.name == name; });
  return found == users.end() ? nullptr : &*found;
}

Result<void> check_user_name(std::string_view name) {
  bool is_plain = std::all_of(name.begin(), name.end(), [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7F && c != ':';  // which ends it in Basic (RFC 7617)
  });
  if (name.empty() || name.size() > kLongestName || !is_plain || !is_valid_utf8(name))
    return fail(ErrorCode::kInvalidArgument, "a user's name has 1 to {} bytes, and no colon", kLongestName);
  return {};
}

Result<Users> parse_users(std::string_view text) {
  auto json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return fail(ErrorCode::kInvalidArgument, "not JSON");
  GOPLINE_TRY(check_names(json, {"key", "users"}));
  Users out;
  GOPLINE_ASSIGN(out.key, text_in(json, "key"));
  GOPLINE_TRY(Signer::from(out.key));
  GOPLINE_ASSIGN(auto users, list_in(json, "users"));
  for (const auto& one : users) {
    GOPLINE_ASSIGN(auto user, parse_user(one));
    if (out.find(user.name)) return fail(ErrorCode::kInvalidArgument, "{} is there twice", user.name);
    out.users.push_back(std::move(user));
  }
  return out;
}

std::string to_text(const Users& users) {
  Json json{{"key", users.key}, {"users", Json::array()}};
  for (const auto& user : users.users) {
    Json one{{"name", user.name}, {"role", to_string(user.role)}, {"streams", user.streams}};
    if (!user.password.empty()) one["password"] = user.password;
    for (const auto& token : user.tokens) {
      Json kept{{"name", token.name}, {"sha256", token.sha256}};
      if (token.until) kept["until"] = format_rfc3339(*token.until);
      one["tokens"].push_back(std::move(kept));
    }
    json["users"].push_back(std::move(one));
  }
  return json.dump(2) + "\n";
}

}  // namespace gopline::server
