#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"

namespace gopline::cli {

// Tells the service manager how the process is (sd_notify(3)): a datagram to the socket that NOTIFY_SOCKET
// names, a path or a name in the abstract namespace ("@..."). Without that variable nothing happens. What is
// not delivered is not delivered: the manager has time-outs for that. Thread-safe.
class ServiceNotifier {
 public:
  // From the environment: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID.
  ServiceNotifier();

  void ready() const { send("READY=1"); }
  void reloading() const;  // until ready()
  void stopping() const { send("STOPPING=1"); }
  void status(std::string_view text) const { send("STATUS=" + std::string(text)); }
  void alive() const { send("WATCHDOG=1"); }

  // How often alive() has to be said: half of what the manager waits for. nullopt: it does not wait.
  std::optional<Duration> watchdog_interval() const { return interval_; }

 private:
  void send(const std::string& state) const;

  std::string socket_;
  std::optional<Duration> interval_;
};

}  // namespace gopline::cli
