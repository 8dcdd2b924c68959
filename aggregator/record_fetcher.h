#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/catalog/partition_scan.h"
#include "common/log/log.h"

namespace gopline::aggregator {

// Reads chosen records of one partition, and no values beside them: one at a time, or many at once where the
// caller says that all of the next bytes are wanted. Counts what it reads. Not thread-safe.
class RecordFetcher {
 public:
  RecordFetcher(Log& log, TopicPartition where, StopToken stop,
                Duration patience = catalog::kDeliveryPatience)
      : log_(log), where_(std::move(where)), stop_(std::move(stop)), patience_(patience) {}

  // The record at `offset`; nullopt: the partition has none there. kUnavailable when the log says that it has
  // and for `patience` delivers nothing. `wanted_ahead`: bytes of values from here
  // on, without a record in between that is not wanted.
  Result<std::optional<StoredRecord>> fetch(Offset offset, std::uint64_t wanted_ahead = 0);

  std::uint64_t payload_bytes() const { return payload_bytes_; }  // of values that the log handed over
  const TopicPartition& where() const { return where_; }

 private:
  struct Source {
    std::unique_ptr<LogReader> reader;
    std::optional<Offset> next;  // where the reader stands
  };
  Result<void> fill(Source& source, std::size_t max_bytes, Offset offset);
  Result<bool> is_outside(Offset offset);

  Log& log_;
  TopicPartition where_;
  StopToken stop_;
  Duration patience_;
  Source single_, bulk_;
  std::deque<StoredRecord> ahead_;  // consecutive records from filled_from_ on, as far as they were not taken
  Offset filled_from_{};
  OffsetRange range_;  // when it was last asked for
  std::uint64_t payload_bytes_ = 0;
};

}  // namespace gopline::aggregator
