#include "common/catalog/partition_scan.h"

#include <algorithm>

namespace gopline::catalog {
namespace {

// Waits between looks at the position: short at first, because a reader that has nothing but holes before it
// knows so at once, but says nothing.
constexpr Duration kShortWait = std::chrono::milliseconds(10);
constexpr Duration kLongWait = std::chrono::seconds(1);

}  // namespace

PartitionScanner::PartitionScanner(Log& log, TopicPartition where, ScanOptions options)
    : log_(log), where_(std::move(where)), options_(std::move(options)) {}

Result<void> PartitionScanner::go_to(Offset offset) {
  while (!ready_.empty() && ready_.front().offset < offset) ready_.pop_front();
  if (!ready_.empty()) return {};
  if (!reader_) {
    LogReaderOptions options;
    options.headers_only = options_.headers_only;
    options.max_poll_bytes = options_.max_poll_bytes;
    GOPLINE_ASSIGN(reader_, log_.make_reader(options));
    return reader_->assign({{where_, StartPosition::at(offset)}});
  }
  GOPLINE_ASSIGN(auto position, reader_->position(where_));
  if (position == offset) return {};
  return reader_->seek(where_, StartPosition::at(offset));
}

Result<Offset> PartitionScanner::scan(Offset from, std::optional<Offset> to,
                                      const std::function<bool(const StoredRecord&)>& visit) {
  GOPLINE_ASSIGN(auto range, log_.offsets(where_));
  auto next = std::max(from, range.begin);
  auto end = to ? std::min(*to, range.end) : range.end;
  if (next >= end) return std::max(from, end);
  if (!ready_.empty() && next < ready_.front().offset) ready_.clear();
  GOPLINE_TRY(go_to(next));
  std::stop_callback wake_up(options_.stop, [&] { reader_->wakeup(); });
  auto moved = std::chrono::steady_clock::now();
  for (auto wait = kShortWait;;) {
    for (; !ready_.empty(); ready_.pop_front()) {
      if (ready_.front().offset >= end) return end;
      next = ready_.front().offset.next();
      if (visit(ready_.front())) continue;
      ready_.pop_front();
      return next;
    }
    if (next >= end) return end;
    if (options_.stop.stop_requested())
      return fail(ErrorCode::kCancelled, "reading {} was stopped", where_.topic);
    GOPLINE_ASSIGN(auto records, reader_->poll(wait));
    ready_.assign(std::make_move_iterator(records.begin()), std::make_move_iterator(records.end()));
    auto now = std::chrono::steady_clock::now();
    // Compaction and retention may leave nothing between here and the end; the position says so.
    GOPLINE_ASSIGN(auto position, reader_->position(where_));
    if (!ready_.empty() || position > next) {
      if (ready_.empty()) next = position;
      moved = now;
      wait = kShortWait;
    } else if (now - moved >= options_.patience) {
      return fail(
          ErrorCode::kUnavailable,
          "{} has records {} to {} of \"{}\", partition {}, and for {} s has delivered none of them: it "
          "is away, or its leader is",
          log_.describe(), next, end.value - 1, where_.topic, where_.partition,
          std::chrono::duration_cast<std::chrono::seconds>(options_.patience).count());
    } else {
      wait = std::min(2 * wait, kLongWait);
    }
  }
}

Result<Offset> scan_partition(Log& log, const TopicPartition& where, const ScanOptions& options,
                              const std::function<bool(const StoredRecord&)>& visit) {
  return PartitionScanner(log, where, options).scan(options.from, options.to, visit);
}

Result<std::optional<StoredRecord>> read_record(Log& log, const TopicPartition& where, Offset offset) {
  std::optional<StoredRecord> found;
  ScanOptions options;
  options.from = offset;
  options.to = offset.next();
  options.max_poll_bytes = 1;  // it alone
  GOPLINE_TRY(scan_partition(log, where, options, [&](const StoredRecord& record) {
    if (record.offset == offset) found = record;
    return false;
  }));
  return found;
}

}  // namespace gopline::catalog
