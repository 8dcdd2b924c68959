#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/result.h"
#include "common/http/http_server.h"
#include "common/metrics/health.h"
#include "common/metrics/registry.h"

namespace gopline::metrics {

// /metrics and /healthz over HTTP/1.1, on one thread of its own. No TLS and no passwords: it listens on
// loopback, or where a proxy or a firewall stands before it.
class MetricsServer {
 public:
  // Listens at `address` before it returns; errors are HttpServer::start()'s. `registry`, and what `health`
  // looks at, outlive the server, which ends at once when it is destroyed.
  static Result<std::unique_ptr<MetricsServer>> start(std::string_view address, const Registry& registry,
                                                      HealthCheck health,
                                                      const http::ServerLimits& limits = {});

  std::string address() const { return server_->address(); }  // "127.0.0.1:9100", with the port found for 0
  std::uint16_t port() const { return server_->port(); }

 private:
  explicit MetricsServer(std::unique_ptr<http::HttpServer> server) : server_(std::move(server)) {}
  std::unique_ptr<http::HttpServer> server_;
};

}  // namespace gopline::metrics
