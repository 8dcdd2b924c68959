#pragma once
#include <array>
#include <memory>
#include <string>

#include "aggregator/stream_item.h"
#include "common/metrics/counters_by_cause.h"
#include "common/metrics/registry.h"

// Every metric of a stream on its way out of the log. docs/metrics.md says what each means; a test holds it
// to the code.
namespace gopline::aggregator {

inline constexpr std::array kAbsenceCauses = {AbsenceCause::kSourceOutage, AbsenceCause::kOverBudget,
                                              AbsenceCause::kLost,         AbsenceCause::kCorrupt,
                                              AbsenceCause::kClock,        AbsenceCause::kExpired,
                                              AbsenceCause::kElsewhere,    AbsenceCause::kMissingBlob};
using CountersByAbsence = metrics::CountersByCause<AbsenceCause, kAbsenceCauses.size()>;

// What is counted of one stream that is followed. Copies count the same; the stream leaves the output with
// the last copy. One that is made from nothing counts nothing. Thread-safe.
struct ReaderMetrics {
  metrics::Counter segments, bytes;  // put out; of a segment's parts the first counts
  metrics::Counter epochs;           // joined
  // Per piece (a segment or a part), from the capture of its first picture, or from its arrival.
  metrics::Histogram capture_to_read, read_to_output, capture_to_output;
  metrics::Gauge buffer_bytes, buffer_pieces;  // wait until they are due
  metrics::Gauge delay;                        // behind the quickest way from the writer
  metrics::Gauge drift;                     // by how much of itself the writer's clock runs slower than ours
  CountersByAbsence gaps, gap_seconds;      // of the output; the capture time they span
  metrics::Counter duplicates, late;        // pieces and chunks that came and were not played
  metrics::Gauge lag_records, lag_seconds;  // behind the log's end
};

// The families behind them, once for a registry, which outlives this. Thread-safe.
class AggregatorMetrics {
 public:
  explicit AggregatorMetrics(metrics::Registry& registry);

  // Two followers of the same stream at once count into the same series.
  ReaderMetrics stream(const std::string& id) const;

 private:
  struct Families;
  std::shared_ptr<const Families> families_;
};

}  // namespace gopline::aggregator
