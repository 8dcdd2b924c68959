#include "cli/telemetry.h"

namespace gopline::cli {

using splitter::SourceState;

Result<std::unique_ptr<Telemetry>> Telemetry::start(const std::string& address) {
  std::unique_ptr<Telemetry> telemetry(new Telemetry);
  if (!address.empty()) {
    GOPLINE_ASSIGN(telemetry->server_,
                   metrics::MetricsServer::start(address, telemetry->registry_,
                                                 [self = telemetry.get()] { return self->problems(); }));
  }
  return telemetry;
}

splitter::StreamMetrics Telemetry::stream(const std::string& id) const {
  return server_ ? splitting_.stream(id) : splitter::StreamMetrics{};
}

splitter::SourceMetrics Telemetry::source(const std::string& id) const {
  return server_ ? living_.source(id) : splitter::SourceMetrics{};
}

void Telemetry::update(const std::string& stream, const splitter::SourceStatus& status) {
  std::lock_guard lock(mutex_);
  auto& known = statuses_[stream];
  // While it is being connected to again, what was wrong still is.
  if (status.state == SourceState::kConnecting && known.state == SourceState::kWaiting) return;
  known = status;
}

void Telemetry::forget(const std::string& stream) {
  std::lock_guard lock(mutex_);
  statuses_.erase(stream);
}

std::vector<metrics::HealthProblem> Telemetry::problems() const {
  std::lock_guard lock(mutex_);
  std::vector<metrics::HealthProblem> problems;
  for (const auto& [stream, status] : statuses_) {
    if (status.state == SourceState::kWaiting) problems.push_back({stream, status.message});
  }
  return problems;
}

}  // namespace gopline::cli
