#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "splitter/live/reconnect_policy.h"

namespace gopline::splitter {

enum class SourceState { kConnecting, kLive, kWaiting, kStopped };
std::string_view to_string(SourceState state);  // "connecting", "live", "waiting", "stopped"

struct SourceStatus {
  SourceState state = SourceState::kConnecting;
  std::optional<OutageCause> cause;  // of the newest outage, while it lasts
  std::string message;               // what it said, without secrets
  Duration retry_in{};               // while waiting
  std::int64_t outages = 0;          // so far
};

}  // namespace gopline::splitter
