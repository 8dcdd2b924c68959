#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "aggregator/follow_meter.h"
#include "aggregator/reader_metrics.h"
#include "common/base/result.h"
#include "common/metrics/metrics_server.h"
#include "common/metrics/registry.h"

namespace gopline::cli {

// What a process that follows streams shows of itself: metrics and health at --metrics HOST:PORT, if that is
// given. Thread-safe.
class ReaderTelemetry {
 public:
  // `address`: empty serves nobody, and nothing is counted.
  static Result<std::unique_ptr<ReaderTelemetry>> start(const std::string& address);

  // Handles for one stream; those of a telemetry that serves nobody count nothing.
  aggregator::ReaderMetrics stream(const std::string& id) const;

  // /healthz names a stream that is read long after it was written.
  void update(const std::string& stream, const aggregator::FollowStats& stats);
  void forget(const std::string& stream);

  std::string address() const { return server_ ? server_->address() : ""; }
  std::vector<metrics::HealthProblem> problems() const;

 private:
  ReaderTelemetry() = default;

  metrics::Registry registry_;
  aggregator::AggregatorMetrics families_{registry_};
  mutable std::mutex mutex_;
  std::map<std::string, Duration> lags_;
  std::unique_ptr<metrics::MetricsServer> server_;  // its thread looks at the rest
};

}  // namespace gopline::cli
