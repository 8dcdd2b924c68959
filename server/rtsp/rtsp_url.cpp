#include "server/rtsp/rtsp_url.h"

#include <algorithm>

#include "common/base/text.h"

namespace gopline::server {
namespace {

constexpr std::string_view kScheme = "rtsp://";

// A stream's id as a path: its slashes stay.
std::string path_of(std::string_view stream) {
  std::string path;
  for (;;) {
    auto slash = std::min(stream.find('/'), stream.size());
    path += percent_encode(stream.substr(0, slash));
    if (slash == stream.size()) return path;
    path += '/';
    stream.remove_prefix(slash + 1);
  }
}

}  // namespace

Result<ServeAddress> parse_rtsp_url(const std::string& text, const std::string& stream) {
  auto wrong = [&](std::string_view why) {
    return fail(ErrorCode::kInvalidArgument, "--serve {}: {}", without_secrets(text), why);
  };
  if (!text.starts_with(kScheme)) return wrong("is not rtsp://HOST:PORT/NAME");
  auto rest = text.substr(kScheme.size());
  auto slash = std::min(rest.find('/'), rest.size());
  auto authority = rest.substr(0, slash);
  if (authority.find('@') != std::string::npos)
    return wrong("a login goes into a file, which --credentials names");
  if (rest.find_first_of("?#") != std::string::npos) return wrong("is not rtsp://HOST:PORT/NAME");
  auto colon = authority.rfind(':');
  if (colon == std::string::npos) return wrong("has no port; 8554 is a usual one");
  auto port = parse_int64(authority.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) return wrong("has no port from 0 to 65535");
  ServeAddress address;
  address.host = authority.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']'))
    address.host = address.host.substr(1, address.host.size() - 2);
  if (address.host.empty()) address.host = "127.0.0.1";
  address.port = static_cast<std::uint16_t>(*port);
  address.name = slash + 1 < rest.size() ? rest.substr(slash + 1) : path_of(stream);
  return address;
}

}  // namespace gopline::server
