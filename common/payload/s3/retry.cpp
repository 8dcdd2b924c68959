#include "common/payload/s3/retry.h"

#include <algorithm>
#include <array>

namespace gopline::payload {
namespace {

constexpr Duration kFirstBound = std::chrono::milliseconds(200);
constexpr Duration kLastBound = std::chrono::seconds(10);

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Codes that stand for "later", whatever the status beside them.
constexpr std::array<std::string_view, 9> kBusy{"SlowDown",       "SlowDownRead",       "SlowDownWrite",
                                                "RequestTimeout", "ServiceUnavailable", "Throttling",
                                                "InternalError",  "OperationAborted",   "TooManyRequests"};
constexpr std::array<std::string_view, 4> kDamaged{"XAmzContentSHA256Mismatch", "BadDigest", "IncompleteBody",
                                                   "MissingContentLength"};

}  // namespace

Prospect prospect_of(int status, std::string_view code) {
  if (contains(kBusy, code)) return Prospect::kPatience;
  if (contains(kDamaged, code)) return Prospect::kFewTries;
  switch (status) {
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
    case 509:
      return Prospect::kPatience;
    default:
      return Prospect::kNone;
  }
}

std::optional<Duration> RetrySchedule::after_failure(SteadyTime now, Prospect prospect,
                                                     std::optional<Duration> at_least) {
  if (failures_ == 0) first_failure_ = now;
  auto bound = std::min<Duration>(kLastBound, kFirstBound * (1LL << std::min(failures_, 16)));
  ++failures_;
  if (prospect == Prospect::kNone) return std::nullopt;
  if (prospect == Prospect::kFewTries && ++few_ >= kFewTries) return std::nullopt;
  auto wait = Duration(static_cast<Duration::rep>(static_cast<double>(bound.count()) * random_()));
  wait = std::max(wait, at_least.value_or(Duration(0)));
  if (tried_for(now) + wait > patience_) return std::nullopt;
  return wait;
}

Duration RetrySchedule::tried_for(SteadyTime now) const {
  if (failures_ == 0) return Duration(0);
  return std::chrono::duration_cast<Duration>(now - first_failure_);
}

}  // namespace gopline::payload
