#include "aggregator/record_fetcher.h"

#include <algorithm>

namespace gopline::aggregator {
namespace {

constexpr std::size_t kBulkBytes = 8 << 20;
// Waits between looks at the reader's position: it knows of a hole at once.
constexpr Duration kShortWait = std::chrono::milliseconds(10);
constexpr Duration kLongWait = std::chrono::seconds(1);

}  // namespace

// Asks the log, which is a round trip, only where what it said before does not tell: a partition only grows
// at its end, and what retention has taken since shows in what is read, or in that nothing comes.
Result<bool> RecordFetcher::is_outside(Offset offset) {
  if (offset >= range_.begin && offset < range_.end) return false;
  GOPLINE_ASSIGN(range_, log_.offsets(where_));
  return offset < range_.begin || offset >= range_.end;
}

Result<void> RecordFetcher::fill(Source& source, std::size_t max_bytes, Offset offset) {
  if (!source.reader) {
    LogReaderOptions options;
    options.max_poll_bytes = max_bytes;
    options.verify_values = false;  // every payload carries a hash that is verified above
    GOPLINE_ASSIGN(source.reader, log_.make_reader(options));
    GOPLINE_TRY(source.reader->assign({{where_, StartPosition::at(offset)}}));
  } else if (source.next != offset) {
    GOPLINE_TRY(source.reader->seek(where_, StartPosition::at(offset)));
  }
  source.next = offset;
  filled_from_ = offset;
  std::stop_callback wake(stop_, [&] { source.reader->wakeup(); });
  auto until = std::chrono::steady_clock::now() + patience_;
  for (auto wait = kShortWait;; wait = std::min(2 * wait, kLongWait)) {
    if (stop_.stop_requested()) return fail(ErrorCode::kCancelled, "stopped");
    GOPLINE_ASSIGN(auto records, source.reader->poll(wait));
    if (records.empty()) {
      GOPLINE_ASSIGN(source.next, source.reader->position(where_));
      if (*source.next > offset) return {};  // nothing but a hole
      range_ = {};
      GOPLINE_ASSIGN(auto outside, is_outside(offset));
      if (outside) return {};  // retention took it meanwhile
      if (std::chrono::steady_clock::now() < until) continue;
      return fail(
          ErrorCode::kUnavailable,
          "{} has record {} of \"{}\", partition {}, and for {} s has not delivered it: it is away, or "
          "its leader is",
          log_.describe(), offset, where_.topic, where_.partition,
          std::chrono::duration_cast<std::chrono::seconds>(patience_).count());
    }
    source.next = records.back().offset.next();
    for (auto& record : records) {
      if (record.value) payload_bytes_ += record.value->size();
      leave_shared_block(record);
      ahead_.push_back(std::move(record));
    }
    return {};
  }
}

Result<std::optional<StoredRecord>> RecordFetcher::fetch(Offset offset, std::uint64_t wanted_ahead) {
  if (!ahead_.empty() && (offset < filled_from_ || offset > ahead_.back().offset)) ahead_.clear();
  while (!ahead_.empty() && ahead_.front().offset < offset) ahead_.pop_front();
  if (ahead_.empty()) {
    GOPLINE_ASSIGN(auto outside, is_outside(offset));
    if (outside) return std::nullopt;
    bool bulk = wanted_ahead >= kBulkBytes;
    GOPLINE_TRY(fill(bulk ? bulk_ : single_, bulk ? kBulkBytes : 1, offset));
  }
  // Compaction and retention leave holes: a later record is kept for later.
  if (ahead_.empty() || ahead_.front().offset != offset) return std::nullopt;
  auto record = std::move(ahead_.front());
  ahead_.pop_front();
  return record;
}

}  // namespace gopline::aggregator
