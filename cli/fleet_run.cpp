#include "cli/fleet_run.h"

#include "cli/file_watch.h"
#include "cli/fleet.h"
#include "cli/service_notifier.h"
#include "common/base/logging.h"

namespace gopline::cli {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += out.empty() ? name : ", " + name;
  return out;
}

std::string told(const std::string& config, const Fleet::Change& change) {
  std::string what;
  auto add = [&](std::string_view word, const std::vector<std::string>& names) {
    if (!names.empty()) what += fmt::format("; {}: {}", word, joined(names));
  };
  add("started", change.started);
  add("restarted", change.restarted);
  add("stopped", change.stopped);
  return fmt::format("{}: read again{}", config, what.empty() ? "; nothing has changed" : what);
}

// No longer called when this is gone.
class HangupHandler {
 public:
  HangupHandler(const Environment& environment, std::function<void()> handler) : environment_(environment) {
    if (environment_.on_hangup) environment_.on_hangup(std::move(handler));
  }
  ~HangupHandler() {
    if (environment_.on_hangup) environment_.on_hangup({});
  }
  HangupHandler(const HangupHandler&) = delete;
  HangupHandler& operator=(const HangupHandler&) = delete;

 private:
  const Environment& environment_;
};

}  // namespace

Result<std::deque<SplitTask>> run_fleet(Log& log, const std::string& config, const FleetBase& base,
                                        const Environment& environment, ProgressBoard& board,
                                        Telemetry& telemetry) {
  GOPLINE_ASSIGN(auto cameras, read_fleet_config(config, base));
  Fleet fleet(log, environment.clock, board, telemetry);
  HangupHandler on_hangup(environment, [&] { fleet.wake(); });
  GOPLINE_ASSIGN(auto watch, FileWatch::start(config, [&] { fleet.wake(); }));
  fleet.take(cameras);
  ServiceNotifier service;
  service.ready();
  auto most = service.watchdog_interval().value_or(std::chrono::hours(1));
  for (;;) {
    service.alive();
    service.status(fmt::format("{} cameras", cameras.size()));
    auto wake = fleet.wait(environment.stop, most);
    if (wake == Fleet::Wake::kAllEnded || wake == Fleet::Wake::kStopped) break;
    if (wake == Fleet::Wake::kTime) continue;
    service.reloading();
    auto again = read_fleet_config(config, base);
    if (again) {
      cameras = std::move(*again);
      log_warning("fleet", "{}", told(config, fleet.take(cameras)));
    } else {
      log_warning("fleet", "{}; what runs goes on as it is", again.error().message);
    }
    service.ready();
  }
  service.stopping();
  return fleet.finish();
}

}  // namespace gopline::cli
