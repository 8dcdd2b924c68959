#pragma once
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/metrics/registry.h"
#include "common/record/vocabulary.h"

// Every metric of the splitter. docs/metrics.md says what each means; a test holds the two to each other.
namespace gopline::splitter {

// What a source is doing.
enum class SourceState { kConnecting, kLive, kWaiting, kStopped };  // waiting: to try again
inline constexpr std::array kSourceStates = {SourceState::kConnecting, SourceState::kLive,
                                             SourceState::kWaiting, SourceState::kStopped};
std::string_view to_string(SourceState state);  // "connecting", "live", "waiting", "stopped"

// Why a source was connected to once more.
enum class ReconnectCause {
  kEnded,         // it closed the connection
  kHung,          // no packet came for too long
  kRefused,       // nobody listens there
  kUnreachable,   // no way there, or no answer
  kUnauthorized,  // wrong name or password
  kFailed,        // anything else: not found, not understood
};
inline constexpr std::array kReconnectCauses = {ReconnectCause::kEnded,        ReconnectCause::kHung,
                                                ReconnectCause::kRefused,      ReconnectCause::kUnreachable,
                                                ReconnectCause::kUnauthorized, ReconnectCause::kFailed};
std::string_view to_string(ReconnectCause cause);  // "ended", "hung", "refused", ...

// Why footage that was read is not in the log.
enum class DropCause {
  kSpillBytes,  // the spill was full
  kSpillAge,    // it waited in the spill for too long
  kRefused,     // the log did not take it
  kCorrupt,     // the source itself says that it is damaged
};
inline constexpr std::array kDropCauses = {DropCause::kSpillBytes, DropCause::kSpillAge, DropCause::kRefused,
                                           DropCause::kCorrupt};
std::string_view to_string(DropCause cause);  // "spill-bytes", "spill-age", "refused", "corrupt"

inline constexpr std::array kGapCauses = {record::GapCause::kSourceOutage, record::GapCause::kOverBudget,
                                          record::GapCause::kLost, record::GapCause::kCorrupt,
                                          record::GapCause::kClock};

// A counter for each cause. All are there from the start, at 0: a first failure is then a rise.
template <typename Cause, std::size_t kCount>
class CountersByCause {
 public:
  CountersByCause() = default;
  CountersByCause(const metrics::Family<metrics::Counter>& family, const std::string& stream,
                  const std::array<Cause, kCount>& causes) {
    for (auto cause : causes) {
      counters_[index(cause)] = family.with({{"stream", stream}, {"cause", std::string(to_string(cause))}});
    }
  }
  const metrics::Counter& operator[](Cause cause) const { return counters_[index(cause)]; }

 private:
  static std::size_t index(Cause cause) { return static_cast<std::size_t>(cause); }
  std::array<metrics::Counter, kCount> counters_;
};
using CountersByGap = CountersByCause<record::GapCause, kGapCauses.size()>;
using CountersByDrop = CountersByCause<DropCause, kDropCauses.size()>;
using CountersByReconnect = CountersByCause<ReconnectCause, kReconnectCauses.size()>;

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

// What is counted of one stream. Copies count the same; the stream leaves the output with the last copy. One
// that is made from nothing counts nothing. Thread-safe.
struct StreamMetrics {
  // The source.
  StateGauge state;
  metrics::Counter packets, packet_bytes;  // read
  metrics::Counter corrupt_packets;        // the source itself says so
  CountersByReconnect reconnects;
  metrics::Gauge clock_offset;  // seconds the source's clock is ahead of this machine's
  metrics::Gauge media_drift;   // seconds media time has gained on capture time in this epoch

  // Its way into the log.
  metrics::Counter epochs;                     // begun
  metrics::Counter segments, segment_bytes;    // acknowledged
  metrics::Histogram capture_to_read;          // per packet
  metrics::Histogram read_to_acknowledged;     // per segment, from its first packet
  metrics::Histogram capture_to_acknowledged;  // per segment, from its first packet
  metrics::Gauge spill_bytes, spill_age;       // on disk now; seconds since the oldest was read, 0: empty

  // What is absent.
  CountersByGap gaps, gap_seconds;             // stated in the log; the capture time they span
  CountersByDrop dropped_gops, dropped_bytes;  // whole GOPs; of packets
};

// The families behind them, once for a registry, which outlives this. Thread-safe.
class SplitterMetrics {
 public:
  explicit SplitterMetrics(metrics::Registry& registry);

  // Two runs of the same stream at once count into the same series.
  StreamMetrics stream(const std::string& id) const;

 private:
  struct Families;
  std::shared_ptr<const Families> families_;
};

}  // namespace gopline::splitter
