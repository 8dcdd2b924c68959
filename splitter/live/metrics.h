#pragma once
#include <array>
#include <memory>
#include <string>

#include "common/metrics/registry.h"
#include "splitter/live/reconnect_policy.h"
#include "splitter/live/source_status.h"
#include "splitter/metrics.h"

// Every metric of live sources, besides those of their streams (splitter/metrics.h).
namespace gopline::splitter {

inline constexpr std::array kSourceStates = {SourceState::kConnecting, SourceState::kLive,
                                             SourceState::kWaiting, SourceState::kStopped};
inline constexpr std::array kOutageCauses = {OutageCause::kEnded,       OutageCause::kHung,
                                             OutageCause::kUnreachable, OutageCause::kUnauthorized,
                                             OutageCause::kNotFound,    OutageCause::kFailed};
using CountersByOutage = metrics::CountersByCause<OutageCause, kOutageCauses.size()>;

// One of the four states is 1, the others are 0. A scrape in the middle of a change may see two. Thread-safe.
class StateGauge {
 public:
  StateGauge() = default;
  StateGauge(const metrics::Family<metrics::Gauge>& family, const std::string& stream);  // connecting
  void set(SourceState state) const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

// What is counted of one live source. Copies count the same; it leaves the output with the last copy. One
// that is made from nothing counts nothing. Thread-safe.
struct SourceMetrics {
  StateGauge state;
  CountersByOutage reconnects;            // by why it was gone
  metrics::Counter lost_packets;          // of RTP, by their numbers
  metrics::Gauge clock_offset;            // seconds the source's clock is ahead of this machine's
  metrics::Gauge media_drift;             // seconds media time has gained on capture time in this epoch
  metrics::Gauge spill_bytes, spill_age;  // waiting for the log; seconds since the oldest was read, 0: none
};

// The families behind them, once for a registry, which outlives this. Thread-safe.
class LiveMetrics {
 public:
  explicit LiveMetrics(metrics::Registry& registry);

  SourceMetrics source(const std::string& stream) const;

 private:
  struct Families;
  std::shared_ptr<const Families> families_;
};

}  // namespace gopline::splitter
