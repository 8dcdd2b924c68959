#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "aggregator/recorder/recorder_metrics.h"
#include "common/base/result.h"
#include "common/metrics/metrics_server.h"
#include "common/metrics/registry.h"

namespace gopline::cli {

// What a process that records streams shows of itself: metrics and health at --metrics HOST:PORT, if that is
// given. Thread-safe.
class RecorderTelemetry {
 public:
  // `address`: empty serves nobody, and nothing is counted.
  static Result<std::unique_ptr<RecorderTelemetry>> start(const std::string& address);

  // nullptr: nobody asks.
  const aggregator::RecorderMetrics* families() const { return server_ ? &families_ : nullptr; }
  // /healthz names the streams that cannot be recorded. `why` empty: it can again.
  void tell(const std::string& stream, const std::string& why);

  std::string address() const { return server_ ? server_->address() : ""; }
  std::vector<metrics::HealthProblem> problems() const;

 private:
  RecorderTelemetry() = default;

  metrics::Registry registry_;
  aggregator::RecorderMetrics families_{registry_};
  mutable std::mutex mutex_;
  std::map<std::string, std::string> behind_;       // and why
  std::unique_ptr<metrics::MetricsServer> server_;  // its thread looks at the rest
};

}  // namespace gopline::cli
