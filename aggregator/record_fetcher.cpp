#include "aggregator/record_fetcher.h"

namespace gopline::aggregator {
namespace {

constexpr std::size_t kBulkBytes = 8 << 20;
constexpr Duration kWait = std::chrono::milliseconds(200);
constexpr int kPatience = 50;  // waits for a record that the log says it has

}  // namespace

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
  for (int i = 0; i < kPatience; ++i) {
    if (stop_.stop_requested()) return fail(ErrorCode::kCancelled, "stopped");
    GOPLINE_ASSIGN(auto records, source.reader->poll(kWait));
    if (records.empty()) continue;
    source.next = records.back().offset.next();
    for (auto& record : records) {
      if (record.value) payload_bytes_ += record.value->size();
      ahead_.push_back(std::move(record));
    }
    return {};
  }
  return {};
}

Result<std::optional<StoredRecord>> RecordFetcher::fetch(Offset offset, std::uint64_t wanted_ahead) {
  if (!ahead_.empty() && (offset < filled_from_ || offset > ahead_.back().offset)) ahead_.clear();
  while (!ahead_.empty() && ahead_.front().offset < offset) ahead_.pop_front();
  if (ahead_.empty()) {
    GOPLINE_ASSIGN(auto range, log_.offsets(where_));
    if (offset < range.begin || offset >= range.end) return std::nullopt;
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
