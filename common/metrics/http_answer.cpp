#include "common/metrics/http_answer.h"

#include <exception>

#include <nlohmann/json.hpp>

namespace gopline::metrics {
namespace {

constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* kFrontPage =
    "<!DOCTYPE html><title>gopline</title>"
    "<p><a href=\"/metrics\">/metrics</a> for Prometheus, <a href=\"/healthz\">/healthz</a> for probes\n";

HttpAnswer health_answer(const HealthCheck& health) {
  auto problems = health ? health() : std::vector<HealthProblem>{};
  if (problems.empty()) return {200, HttpAnswer{}.content_type, "ok\n", {}};
  nlohmann::ordered_json document;
  document["status"] = "unhealthy";
  for (const auto& [subject, problem] : problems) {
    document["problems"].push_back({{"subject", subject}, {"problem", problem}});
  }
  constexpr auto kReplaceBadUtf8 = nlohmann::ordered_json::error_handler_t::replace;
  return {503, "application/json", document.dump(2, ' ', false, kReplaceBadUtf8) + "\n", {}};
}

HttpAnswer answer_get(std::string_view path, const Registry& registry, const HealthCheck& health) {
  if (path == "/metrics") return {200, kMetricsType, registry.to_text(), {}};
  if (path == "/healthz") return health_answer(health);
  if (path == "/") return {200, "text/html; charset=utf-8", kFrontPage, {}};
  return refusal(404, "there are /metrics and /healthz here");
}

}  // namespace

HttpAnswer answer(std::string_view method, std::string_view target, const Registry& registry,
                  const HealthCheck& health) {
  if (method != "GET" && method != "HEAD") {
    auto refused = refusal(405, "only GET and HEAD are answered here");
    refused.allow = "GET, HEAD";
    return refused;
  }
  try {
    return answer_get(target.substr(0, target.find('?')), registry, health);
  } catch (const std::exception& error) {
    return refusal(500, error.what());
  }
}

HttpAnswer refusal(unsigned status, std::string_view reason) {
  HttpAnswer refused;
  refused.status = status;
  refused.body = std::string(reason) + "\n";
  return refused;
}

}  // namespace gopline::metrics
