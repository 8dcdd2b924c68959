#pragma once
#include <cstdint>
#include <random>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/result.h"

namespace gopline::splitter {

// Why a live source is not there.
enum class OutageCause {
  kEnded,         // it closed the connection, or said that this was all
  kHung,          // connected, and silent
  kUnreachable,   // refused, no route, no answer
  kUnauthorized,  // the login is wrong
  kNotFound,      // the server is there, the camera's path is not
  kFailed,        // anything else, in the error's words
};
std::string_view to_string(OutageCause cause);  // "ended", "hung", "unreachable", ...

// What an error of opening, or of reading after packets had come (`was_live`), says.
OutageCause outage_cause_of(const Error& error, bool was_live);

struct ReconnectOptions {
  Duration first = std::chrono::seconds(1);
  Duration most = std::chrono::seconds(60);
  Duration stable_after = std::chrono::seconds(30);  // of packets: then the next outage begins anew
};

// How long to wait before the next attempt: exponential backoff with full jitter, so that a hundred cameras
// behind one switch do not all come back in the same second. A wrong login waits its longest from the first
// time on: cameras lock out who hammers. Pure; not thread-safe.
class ReconnectPolicy {
 public:
  ReconnectPolicy(ReconnectOptions options, std::uint64_t seed) : options_(options), random_(seed) {}

  // After an outage; `live_for`: how long packets had come before it.
  Duration next_delay(OutageCause cause, Duration live_for);
  int attempts() const { return attempts_; }  // in a row that did not last

 private:
  ReconnectOptions options_;
  std::mt19937_64 random_;
  int attempts_ = 0;
};

}  // namespace gopline::splitter
