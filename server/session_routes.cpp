#include "server/session_routes.h"

#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "server/api_json.h"
#include "server/hls_routes.h"

namespace gopline::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kJsonType = "application/json";

// Who they say they are; of a password, nothing.
std::string claimed_name(const http::Request& request) {
  auto header = request.header("Authorization").value_or("");
  auto space = header.find(' ');
  auto decoded = base64_decode(space == std::string_view::npos ? "" : header.substr(space + 1));
  if (!decoded) return "";
  std::string text(decoded->begin(), decoded->end());
  return text.substr(0, std::min<std::size_t>(text.find(':'), 64));
}

unsigned login_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnavailable:
      return 429;
    case ErrorCode::kNotFound:
      return 404;
    default:
      return 401;
  }
}

std::string links_json(const std::string& stream, const std::string& link, bool with_clips, Timestamp until) {
  auto base = "/streams/" + percent_encode(stream) + "/";
  Json json{{"stream", stream},
            {"until", format_rfc3339(until)},
            {"clips", with_clips},
            {"link", link},
            {"watch", base + "watch.m3u8?link=" + link},
            {"live", base + "live.m3u8?link=" + link},
            {"recorded", base + "hls.m3u8?link=" + link}};
  return json.dump();
}

}  // namespace

std::string SessionRoutes::cookie(const std::string& value, Duration age) const {
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", kCookieName, value, seconds,
                     secure_cookies_ ? "; Secure" : "");
}

http::Response SessionRoutes::log_in(const http::Request& request) {
  auto made = access_.log_in(request);
  AuditEntry entry{made ? "login" : "login-failed", claimed_name(request), request.peer, "", {}, {}};
  if (auto written = audit_.write(entry); !written && made) made = tl::unexpected<Error>(written.error());
  if (!made) {
    auto refused =
        http::respond(login_status(made.error().code), kJsonType, error_json(made.error().message) + "\n");
    if (made.error().code == ErrorCode::kUnavailable) refused.headers.emplace_back("Retry-After", "60");
    return refused;
  }
  auto response = http::respond(200, kJsonType, Json{{"name", entry.who}}.dump());
  response.headers.emplace_back("Set-Cookie", cookie(*made, kSessionTime));
  return response;
}

http::Response SessionRoutes::log_out() const {
  auto response = http::respond(200, kJsonType, "{}");
  response.headers.emplace_back("Set-Cookie", cookie("", Duration(0)));
  response.headers.emplace_back("Clear-Site-Data", "\"cache\"");
  return response;
}

http::Response SessionRoutes::me(const Viewer& viewer) const {
  Json json{{"name", viewer.name()}, {"role", viewer.role()}, {"can_log_out", !access_.is_open()}};
  return http::respond(200, kJsonType, json.dump());
}

Result<http::Response> SessionRoutes::link(const http::RequestTarget& target, const Viewer& viewer,
                                           const std::string& peer) {
  auto stream = std::string(target.parameter("stream").value_or(""));
  GOPLINE_ASSIGN(auto until, time_parameter(target, "until"));
  if (stream.empty() || !until)
    return fail(ErrorCode::kInvalidArgument, "a link wants stream, and until: 2026-11-22T18:30:00Z");
  bool with_clips = target.parameter("clips") == "true";
  GOPLINE_ASSIGN(auto link, access_.make_link(viewer, stream, with_clips, *until));
  GOPLINE_TRY(audit_.write({"link", viewer.name(), peer, stream, clock_.now(), *until}));
  return http::respond(200, kJsonType, links_json(stream, link, with_clips, *until));
}

}  // namespace gopline::server
