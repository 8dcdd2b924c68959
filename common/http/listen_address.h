#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace gopline::http {

// Where a server listens, as a person writes it.
struct ListenAddress {
  std::string host;  // a name or an address; IPv6 without brackets
  std::uint16_t port = 0;
};

// "127.0.0.1:9100", "localhost:9100", "[::1]:9100". A host has to be named: whether others may look is a
// decision. Port 0 is any that is free.
Result<ListenAddress> parse_listen_address(std::string_view text);

std::string to_string(const ListenAddress& address);  // the same form

}  // namespace gopline::http
