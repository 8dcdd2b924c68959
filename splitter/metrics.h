#pragma once
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/metrics/counters_by_cause.h"
#include "common/metrics/registry.h"
#include "common/record/vocabulary.h"

// Every metric of a stream on its way into the log; splitter/live/metrics.h has those of live sources.
// docs/metrics.md says what each means; a test holds it to the code.
namespace gopline::splitter {

// Why footage that was read is not in the log.
enum class DropCause {
  kOverBytes,  // too much was waiting for the log
  kOverAge,    // it had waited for the log for too long
  kRefused,    // the log did not take it
  kCorrupt,    // the source itself says that it is damaged
};
inline constexpr std::array kDropCauses = {DropCause::kOverBytes, DropCause::kOverAge, DropCause::kRefused,
                                           DropCause::kCorrupt};
std::string_view to_string(DropCause cause);  // "over-bytes", "over-age", "refused", "corrupt"

inline constexpr std::array kGapCauses = {record::GapCause::kSourceOutage, record::GapCause::kOverBudget,
                                          record::GapCause::kLost, record::GapCause::kCorrupt,
                                          record::GapCause::kClock};

using CountersByGap = metrics::CountersByCause<record::GapCause, kGapCauses.size()>;
using CountersByDrop = metrics::CountersByCause<DropCause, kDropCauses.size()>;

// What is counted of one stream. Copies count the same; the stream leaves the output with the last copy. One
// that is made from nothing counts nothing. Thread-safe.
struct StreamMetrics {
  metrics::Counter packets, packet_bytes;  // read from the source
  metrics::Counter corrupt_packets;        // the source itself says so

  metrics::Counter epochs;                     // begun
  metrics::Counter segments, segment_bytes;    // acknowledged
  metrics::Histogram capture_to_read;          // per packet
  metrics::Histogram read_to_acknowledged;     // per segment, from its first packet
  metrics::Histogram capture_to_acknowledged;  // per segment, from its first packet

  // What is absent.
  CountersByGap gaps, gap_seconds;             // stated in the log; the capture time they span
  CountersByDrop dropped_gops, dropped_bytes;  // whole GOPs; bytes of packets
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
