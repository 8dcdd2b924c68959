#pragma once
#include <cstdint>
#include <optional>

#include "aggregator/follow/delay_summary.h"
#include "aggregator/follow/playout.h"
#include "aggregator/reader_metrics.h"
#include "aggregator/stream_item.h"
#include "common/base/clock.h"

namespace gopline::aggregator {

// How a stream is being followed.
struct FollowStats {
  std::uint64_t segments = 0, pieces = 0, bytes = 0;  // put out
  std::uint64_t gaps = 0;                             // of the output
  std::uint64_t duplicates = 0, late = 0;             // pieces and chunks that came and were not played
  // Per piece that was put out: from the capture of its first picture, by the two clocks, or from its
  // arrival.
  DelaySummary capture_to_read, read_to_output, capture_to_output;
  Duration newest_delay{}, newest_wait{};  // of the newest: from capture to output, and from arrival
  std::optional<Timestamp> reached;        // capture time up to which was put out
  PlayoutStats playout;
  // Behind the log's end: records of the partition, other streams' too, nullopt: not asked yet; and how long
  // ago what was read last had been written, 0 when all has been read.
  std::optional<std::int64_t> lag_records;
  Duration lag{};
};

// Counts one stream that is followed, for its report, for who looks at a terminal, and for Prometheus. Now is
// an argument. Not thread-safe; the metrics are.
class FollowMeter {
 public:
  explicit FollowMeter(ReaderMetrics metrics = {}) : metrics_(std::move(metrics)) {}

  void joined() { metrics_.epochs.add(); }
  void stated(const Absence& absence, bool is_new);  // else the gap before goes on
  void put_out(const Piece& piece, Timestamp now, SteadyTime steady_now);
  // A record was read that had been written then.
  void read(Timestamp written, Timestamp now);
  void lags(std::int64_t records);
  // What the others count.
  void update(const PlayoutStats& playout, std::uint64_t duplicates, std::uint64_t late);

  const FollowStats& stats() const { return stats_; }

 private:
  void set_lag(Duration lag);

  ReaderMetrics metrics_;
  FollowStats stats_;
};

}  // namespace gopline::aggregator
