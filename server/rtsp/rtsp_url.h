#pragma once
#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace gopline::server {

// Where a stream is served, as a person writes it.
struct ServeAddress {
  std::string host;        // a name or an address; IPv6 without brackets
  std::uint16_t port = 0;  // 0: any that is free
  std::string name;        // the path, without the slash before it
};

// "rtsp://127.0.0.1:8554/lobby". Without a host it is 127.0.0.1, without a name the stream's.
// kInvalidArgument: it is something else, or has a login in it.
Result<ServeAddress> parse_rtsp_url(const std::string& text, const std::string& stream);

}  // namespace gopline::server
