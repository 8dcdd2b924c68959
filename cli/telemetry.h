#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/metrics/metrics_server.h"
#include "common/metrics/registry.h"
#include "splitter/live/metrics.h"
#include "splitter/live/source_status.h"
#include "splitter/metrics.h"

namespace gopline::cli {

// What a splitting process shows of itself: metrics and health at --metrics HOST:PORT, if that is given.
// Thread-safe.
class Telemetry {
 public:
  // `address`: empty serves nobody, and nothing is counted.
  static Result<std::unique_ptr<Telemetry>> start(const std::string& address);

  // Handles for one stream; those of a telemetry that serves nobody count nothing.
  splitter::StreamMetrics stream(const std::string& id) const;
  splitter::SourceMetrics source(const std::string& id) const;

  // /healthz names a source that waits, with what it said.
  void update(const std::string& stream, const splitter::SourceStatus& status);
  void forget(const std::string& stream);

  std::string address() const { return server_ ? server_->address() : ""; }

 private:
  Telemetry() = default;
  std::vector<metrics::HealthProblem> problems() const;

  metrics::Registry registry_;
  splitter::SplitterMetrics splitting_{registry_};
  splitter::LiveMetrics living_{registry_};
  mutable std::mutex mutex_;
  std::map<std::string, splitter::SourceStatus> statuses_;
  std::unique_ptr<metrics::MetricsServer> server_;  // its thread looks at the rest
};

}  // namespace gopline::cli
