#include "splitter/live/reconnect_policy.h"

#include <algorithm>

namespace gopline::splitter {

std::string_view to_string(OutageCause cause) {
  switch (cause) {
    case OutageCause::kEnded:
      return "ended";
    case OutageCause::kHung:
      return "hung";
    case OutageCause::kUnreachable:
      return "unreachable";
    case OutageCause::kUnauthorized:
      return "unauthorized";
    case OutageCause::kNotFound:
      return "not-found";
    case OutageCause::kFailed:
      return "failed";
  }
  return "failed";
}

OutageCause outage_cause_of(const Error& error, bool was_live) {
  switch (error.code) {
    case ErrorCode::kPermissionDenied:
      return OutageCause::kUnauthorized;
    case ErrorCode::kNotFound:
      return OutageCause::kNotFound;
    case ErrorCode::kUnavailable:
      return was_live ? OutageCause::kHung : OutageCause::kUnreachable;
    default:
      return OutageCause::kFailed;
  }
}

Duration ReconnectPolicy::next_delay(OutageCause cause, Duration live_for) {
  if (live_for >= options_.stable_after) attempts_ = 0;
  // 2^20 times the first delay is more than any longest one.
  auto ceiling = std::min(options_.most, options_.first * (std::int64_t{1} << std::min(attempts_, 20)));
  ++attempts_;
  auto floor = Duration{};
  if (cause == OutageCause::kUnauthorized) {
    ceiling = options_.most;
    floor = options_.most / 2;
  }
  return Duration(std::uniform_int_distribution<std::int64_t>(floor.count(), ceiling.count())(random_));
}

}  // namespace gopline::splitter
