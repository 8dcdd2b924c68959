#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "aggregator/outputs/live_output.h"
#include "common/base/result.h"
#include "server/rtsp/rtsp_url.h"

namespace gopline::server {

struct RtspOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8554;  // 0: any that is free
  std::string login;          // USER:PASSWORD; empty: everybody may watch
};

// An RTSP server (RFC 2326) with a thread of its own, and one for each client. Thread-safe.
class RtspServer {
 public:
  // kUnavailable: the port is taken; kUnsupported: a plug-in of GStreamer's is not installed.
  static Result<std::unique_ptr<RtspServer>> start(const RtspOptions& options);
  virtual ~RtspServer() = default;  // closes all connections

  // Serves `stream` at `path`, from its first packet on; before that, and after finish(), clients are told
  // that there is nothing of the name. Must go before the server does.
  virtual std::unique_ptr<aggregator::LiveDelivery> mount(const std::string& path,
                                                          const std::string& stream) = 0;

  virtual std::uint16_t port() const = 0;
  virtual std::string url_of(const std::string& path) const = 0;
};

}  // namespace gopline::server
