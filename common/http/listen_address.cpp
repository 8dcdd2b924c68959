#include "common/http/listen_address.h"

#include "common/base/text.h"

namespace gopline::http {
namespace {

tl::unexpected<Error> refuse(std::string_view text, std::string_view why) {
  return fail(ErrorCode::kInvalidArgument,
              "'{}' is not an address to listen at: {}. Write HOST:PORT, like 127.0.0.1:9100 or [::1]:9100",
              text, why);
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return refuse(text, "there is no port");
  auto host = text.substr(0, colon);
  if (host.empty()) return refuse(text, "there is no host (0.0.0.0 is every address of this machine)");
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return refuse(text, "an IPv6 address stands in brackets");
  }
  auto port = parse_int64(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65'535) return refuse(text, "the port is a number up to 65535");
  return ListenAddress{std::string(host), static_cast<std::uint16_t>(*port)};
}

std::string to_string(const ListenAddress& address) {
  bool is_ipv6 = address.host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", address.host, address.port)
                 : fmt::format("{}:{}", address.host, address.port);
}

}  // namespace gopline::http
