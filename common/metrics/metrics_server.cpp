#include "common/metrics/metrics_server.h"

#include "common/metrics/http_answer.h"

namespace gopline::metrics {
namespace {

http::Response response_of(HttpAnswer answer) {
  auto response = http::respond(answer.status, answer.content_type, std::move(answer.body));
  if (!answer.allow.empty()) response.headers.emplace_back("Allow", std::move(answer.allow));
  return response;
}

}  // namespace

Result<std::unique_ptr<MetricsServer>> MetricsServer::start(std::string_view address,
                                                            const Registry& registry, HealthCheck health,
                                                            const http::ServerLimits& limits) {
  auto handler = [&registry, health = std::move(health)](const http::Request& request,
                                                         const http::Answer& give) {
    give(response_of(answer(request.method, request.target, registry, health)));
  };
  GOPLINE_ASSIGN(auto server, http::HttpServer::start(address, "metrics", std::move(handler), limits));
  return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(server)));
}

}  // namespace gopline::metrics
