#include "cli/recorder_telemetry.h"

namespace gopline::cli {

Result<std::unique_ptr<RecorderTelemetry>> RecorderTelemetry::start(const std::string& address) {
  std::unique_ptr<RecorderTelemetry> telemetry(new RecorderTelemetry);
  if (!address.empty()) {
    GOPLINE_ASSIGN(telemetry->server_,
                   metrics::MetricsServer::start(address, telemetry->registry_,
                                                 [self = telemetry.get()] { return self->problems(); }));
  }
  return telemetry;
}

void RecorderTelemetry::tell(const std::string& stream, const std::string& why) {
  std::lock_guard lock(mutex_);
  if (why.empty()) {
    behind_.erase(stream);
  } else {
    behind_[stream] = why;
  }
}

std::vector<metrics::HealthProblem> RecorderTelemetry::problems() const {
  std::lock_guard lock(mutex_);
  std::vector<metrics::HealthProblem> problems;
  for (const auto& [stream, why] : behind_) problems.push_back({stream, "is not recorded: " + why});
  return problems;
}

}  // namespace gopline::cli
