#include "common/catalog/partition_scan.h"

#include <algorithm>

#include "common/base/logging.h"

namespace gopline::catalog {
namespace {

// How long a log may take to deliver a record that it says it has.
constexpr Duration kPatience = std::chrono::seconds(5);

}  // namespace

Result<Offset> scan_partition(Log& log, const TopicPartition& where, const ScanOptions& options,
                              const std::function<bool(const StoredRecord&)>& visit) {
  GOPLINE_ASSIGN(auto range, log.offsets(where));
  auto next = std::max(options.from, range.begin);
  auto end = options.to ? std::min(*options.to, range.end) : range.end;
  if (next >= end) return std::max(options.from, end);
  LogReaderOptions reader_options;
  reader_options.headers_only = options.headers_only;
  GOPLINE_ASSIGN(auto reader, log.make_reader(reader_options));
  GOPLINE_TRY(reader->assign({{where, StartPosition::at(next)}}));
  std::stop_callback wake_up(options.stop, [&] { reader->wakeup(); });
  while (next < end) {
    if (options.stop.stop_requested())
      return fail(ErrorCode::kCancelled, "reading {} was stopped", where.topic);
    GOPLINE_ASSIGN(auto records, reader->poll(kPatience));
    if (records.empty() && !options.stop.stop_requested()) {
      // Compaction and retention may leave nothing between here and the end.
      log_debug(where.topic, "partition {}: nothing from offset {} to {}", where.partition, next, end);
      return end;
    }
    for (const auto& record : records) {
      if (record.offset >= end) return end;
      next = record.offset.next();
      if (!visit(record)) return next;
    }
  }
  return end;
}

Result<std::optional<StoredRecord>> read_record(Log& log, const TopicPartition& where, Offset offset) {
  std::optional<StoredRecord> found;
  ScanOptions options;
  options.from = offset;
  options.to = offset.next();
  GOPLINE_TRY(scan_partition(log, where, options, [&](const StoredRecord& record) {
    if (record.offset == offset) found = record;
    return false;
  }));
  return found;
}

}  // namespace gopline::catalog
