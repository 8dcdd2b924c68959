#include "cli/reader_telemetry.h"

#include <fmt/format.h>

namespace gopline::cli {
namespace {

constexpr auto kMostLag = std::chrono::seconds(10);

}  // namespace

Result<std::unique_ptr<ReaderTelemetry>> ReaderTelemetry::start(const std::string& address) {
  std::unique_ptr<ReaderTelemetry> telemetry(new ReaderTelemetry);
  if (!address.empty()) {
    GOPLINE_ASSIGN(telemetry->server_,
                   metrics::MetricsServer::start(address, telemetry->registry_,
                                                 [self = telemetry.get()] { return self->problems(); }));
  }
  return telemetry;
}

aggregator::ReaderMetrics ReaderTelemetry::stream(const std::string& id) const {
  return server_ ? families_.stream(id) : aggregator::ReaderMetrics{};
}

void ReaderTelemetry::update(const std::string& stream, const aggregator::FollowStats& stats) {
  std::lock_guard lock(mutex_);
  lags_[stream] = stats.lag;
}

void ReaderTelemetry::forget(const std::string& stream) {
  std::lock_guard lock(mutex_);
  lags_.erase(stream);
}

std::vector<metrics::HealthProblem> ReaderTelemetry::problems() const {
  std::lock_guard lock(mutex_);
  std::vector<metrics::HealthProblem> problems;
  for (const auto& [stream, lag] : lags_) {
    if (lag <= kMostLag) continue;
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(lag).count();
    problems.push_back({stream, fmt::format("is read {} s after it was written", seconds)});
  }
  return problems;
}

}  // namespace gopline::cli
