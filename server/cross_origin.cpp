#include "server/cross_origin.h"

#include <algorithm>
#include <cctype>

namespace gopline::server {
namespace {

// What a page may look at besides the headers that every page may (Fetch Standard, 3.2.3).
constexpr const char* kExposed =
    "Accept-Ranges, Capture-Time, Content-Disposition, Content-Length, Content-Range, ETag, Expected-Size";
constexpr const char* kAskedWith = "Authorization, If-None-Match, If-Range, Range";
constexpr const char* kAskAgain = "600";  // seconds

// Scheme, host, port, as a browser spells them: no path, lower case.
bool is_origin(std::string_view text) {
  auto scheme = text.find("://");
  if (scheme == std::string_view::npos) return false;
  auto name = text.substr(0, scheme), host = text.substr(scheme + 3);
  bool is_plain = std::all_of(host.begin(), host.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'z') || c == '.' || c == '-' ||
           c == ':' || c == '[' || c == ']' || c == '_';
  });
  return (name == "https" || name == "http") && !host.empty() && is_plain;
}

}  // namespace

Result<CrossOrigin> CrossOrigin::of(const std::vector<std::string>& origins) {
  CrossOrigin made;
  for (const auto& origin : origins) {
    if (origin == "*") {
      made.any_ = true;
    } else if (is_origin(origin)) {
      made.origins_.push_back(origin);
    } else {
      return fail(ErrorCode::kInvalidArgument,
                  "--cors-origin '{}' is no origin: write it as browsers do, https://wall.example.org or "
                  "http://localhost:3000, or *",
                  origin);
    }
  }
  if (made.any_ && !made.origins_.empty())
    return fail(ErrorCode::kInvalidArgument,
                "--cors-origin '*' is every origin: name others, or it, not both");
  return made;
}

bool CrossOrigin::trusts(const http::Request& request) const {
  auto origin = request.header("Origin");
  return origin && std::find(origins_.begin(), origins_.end(), *origin) != origins_.end();
}

bool CrossOrigin::admits(const http::Request& request) const {
  return any_ ? request.header("Origin").has_value() : trusts(request);
}

std::optional<http::Response> CrossOrigin::preflight(const http::Request& request) const {
  bool is_one = request.method == "OPTIONS" && request.header("Access-Control-Request-Method");
  if (!is_one || !admits(request)) return std::nullopt;
  http::Response response;
  response.status = 204;
  response.headers.emplace_back("Access-Control-Allow-Methods", any_ ? "GET, HEAD" : "GET, HEAD, POST");
  response.headers.emplace_back("Access-Control-Allow-Headers", kAskedWith);
  response.headers.emplace_back("Access-Control-Max-Age", kAskAgain);
  return response;
}

void CrossOrigin::add_headers(const http::Request& request, http::Response& response) const {
  auto add = [&](const char* name, std::string_view value) { response.headers.emplace_back(name, value); };
  bool is_admitted = admits(request);
  if (!origins_.empty()) add("Vary", "Origin");  // or a cache would give one page's answer to another
  // Without an Origin (an image, a video element) the page is not told apart: what is named needs one.
  add("Cross-Origin-Resource-Policy", any_ || is_admitted ? "cross-origin" : "same-origin");
  if (!is_admitted) return;
  add("Access-Control-Allow-Origin", any_ ? "*" : *request.header("Origin"));
  if (!any_) add("Access-Control-Allow-Credentials", "true");
  add("Access-Control-Expose-Headers", kExposed);
}

}  // namespace gopline::server
