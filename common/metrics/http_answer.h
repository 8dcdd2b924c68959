#pragma once
#include <string>
#include <string_view>

#include "common/metrics/health.h"
#include "common/metrics/registry.h"

namespace gopline::metrics {

// An HTTP response but for what the connection adds to it.
struct HttpAnswer {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string allow;  // the Allow header of a 405; else empty
};

// What the endpoint says to `method` of `target`: /metrics, /healthz and a page at / that leads there. HEAD
// is answered as GET; the connection leaves its body out. An exception of `health` becomes a 500.
HttpAnswer answer(std::string_view method, std::string_view target, const Registry& registry,
                  const HealthCheck& health);

// To a request that is not taken.
HttpAnswer refusal(unsigned status, std::string_view reason);

}  // namespace gopline::metrics
