#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/metrics/health.h"
#include "common/metrics/registry.h"

namespace gopline::metrics {

// What one client, or many, can take from the process.
struct ServerLimits {
  std::size_t connections = 64;       // at once; idle ones make room for new ones, others make them wait
  std::uint32_t header_bytes = 8192;  // of a request
  std::chrono::milliseconds request_time{5000};     // for a request to arrive, from its first byte
  std::chrono::milliseconds idle_time{60'000};      // between two requests
  std::chrono::milliseconds response_time{30'000};  // for a client to take its answer
};

// /metrics and /healthz over HTTP/1.1, on one thread of its own. No TLS and no passwords: it listens on
// loopback, or where a proxy or a firewall stands before it.
class MetricsServer {
 public:
  // Listens at `address` (parse_listen_address) before it returns. The error says the address and why:
  // kInvalidArgument if it is none, kConflict if another program has it, kPermissionDenied, kNotFound for a
  // name that does not resolve. `registry`, and what `health` looks at, outlive the server.
  static Result<std::unique_ptr<MetricsServer>> start(std::string_view address, const Registry& registry,
                                                      HealthCheck health, const ServerLimits& limits = {});

  // Ends at once: no answer is waited for, but one that is being made. Joins the thread.
  ~MetricsServer();
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  std::string address() const;  // "127.0.0.1:9100", with the port that was found for 0
  std::uint16_t port() const;

 private:
  class Listener;
  explicit MetricsServer(std::unique_ptr<Listener> listener);
  std::unique_ptr<Listener> listener_;
};

}  // namespace gopline::metrics
