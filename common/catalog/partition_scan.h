#pragma once
#include <functional>
#include <optional>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"

namespace gopline::catalog {

struct ScanOptions {
  Offset from{};             // this offset or the oldest kept after it
  std::optional<Offset> to;  // exclusive; nullopt: the end as of the call
  bool headers_only = false;
  StopToken stop;
};

// Hands every record of [from, to) of a partition to `visit`, in offset order, until it answers false.
// Returns the next offset to go on from.
Result<Offset> scan_partition(Log& log, const TopicPartition& where, const ScanOptions& options,
                              const std::function<bool(const StoredRecord&)>& visit);

// The record at exactly this offset, or nullopt when it is not kept.
Result<std::optional<StoredRecord>> read_record(Log& log, const TopicPartition& where, Offset offset);

}  // namespace gopline::catalog
