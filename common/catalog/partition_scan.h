#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"

namespace gopline::catalog {

// How long a log may take to deliver what it says it has, before it counts as away.
inline constexpr Duration kDeliveryPatience = std::chrono::seconds(60);

struct ScanOptions {
  Offset from{};             // this offset or the oldest kept after it
  std::optional<Offset> to;  // exclusive; nullopt: the end as of the call
  bool headers_only = false;
  std::size_t max_poll_bytes = 32 << 20;
  StopToken stop;
  Duration patience = kDeliveryPatience;
};

// The records of one partition, range after range, by one reader: making a reader costs a log over a network
// connections. Not thread-safe.
class PartitionScanner {
 public:
  // The options' range does not matter. The log must outlive the scanner.
  PartitionScanner(Log& log, TopicPartition where, ScanOptions options);

  // Hands every record of [from, to) to `visit`, in offset order, until it answers false. Returns the next
  // offset to go on from. kUnavailable when for options.patience neither a record comes nor the reader's
  // position moves: the log is away, and nobody knows what it has there. kCancelled on `stop`.
  Result<Offset> scan(Offset from, std::optional<Offset> to,
                      const std::function<bool(const StoredRecord&)>& visit);

 private:
  Result<void> go_to(Offset offset);

  Log& log_;
  TopicPartition where_;
  ScanOptions options_;
  std::unique_ptr<LogReader> reader_;
  std::deque<StoredRecord> ready_;  // read beyond where the last scan ended
};

// As PartitionScanner, once.
Result<Offset> scan_partition(Log& log, const TopicPartition& where, const ScanOptions& options,
                              const std::function<bool(const StoredRecord&)>& visit);

// The record at exactly this offset, or nullopt when it is not kept.
Result<std::optional<StoredRecord>> read_record(Log& log, const TopicPartition& where, Offset offset);

}  // namespace gopline::catalog
