#pragma once
#include <memory>
#include <string>

#include "aggregator/reader_metrics.h"
#include "aggregator/recorder/recording.h"
#include "common/metrics/registry.h"

// Every metric of a stream that is recorded into files. docs/metrics.md says what each means; a test holds it
// to the code.
namespace gopline::aggregator {

// What is counted of one stream that is recorded. Copies count the same. One that is made from nothing counts
// nothing. Thread-safe.
struct RecordedStreamMetrics {
  metrics::Counter segments;                       // written to a .part
  metrics::Histogram capture_to_file;              // from the capture of its first picture until then
  metrics::Counter files, bytes, footage_seconds;  // finished: they have their name
  CountersByAbsence gaps, gap_seconds;             // that the JSON beside them tells
  metrics::Gauge behind;                           // 1: it could not be recorded, and is tried again

  void finished(const Recording& recording) const;
};

// The families behind them, once for a registry, which outlives this. Thread-safe.
class RecorderMetrics {
 public:
  explicit RecorderMetrics(metrics::Registry& registry);

  RecordedStreamMetrics stream(const std::string& id) const;
  // By retention, of the directory.
  void removed(std::int64_t files, std::uint64_t bytes) const;

 private:
  struct Families;
  std::shared_ptr<const Families> families_;
};

}  // namespace gopline::aggregator
