#include "server/entry_cache.h"

#include <algorithm>

#include "common/base/logging.h"
#include "common/catalog/partition_scan.h"

namespace gopline::server {
namespace {

// Records of other streams that are read along rather than left out by seeking.
constexpr std::int64_t kNear = 64;

}  // namespace

EntryPtr EntryCache::look_up(const Key& key) {
  std::lock_guard lock(mutex_);
  auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  used_.splice(used_.begin(), used_, found->second);
  return found->second->second;
}

void EntryCache::keep(const Key& key, EntryPtr entry) {
  std::lock_guard lock(mutex_);
  if (by_key_.contains(key)) return;
  used_.emplace_front(key, std::move(entry));
  by_key_[key] = used_.begin();
  if (used_.size() <= most_) return;
  by_key_.erase(used_.back().first);
  used_.pop_back();
}

Result<void> EntryCache::read_missing(PartitionId partition, std::vector<Offset> wanted,
                                      std::map<Offset, EntryPtr>& found, const StopToken& stop) {
  std::sort(wanted.begin(), wanted.end());
  catalog::ScanOptions options;
  options.stop = stop;
  options.max_poll_bytes = 1 << 20;
  catalog::PartitionScanner scanner(log_, {index_topic_, partition}, options);
  for (auto first = wanted.begin(); first != wanted.end();) {
    auto last = first;
    while (std::next(last) != wanted.end() && std::next(last)->value - last->value <= kNear) ++last;
    GOPLINE_TRY(scanner.scan(*first, last->next(), [&](const StoredRecord& stored) {
      if (!stored.value || !std::binary_search(first, std::next(last), stored.offset)) return true;
      auto entry = record::parse_index_entry(stored.headers, *stored.value);
      if (!entry) {
        log_warning(stored.key, "index entry at offset {}: {}", stored.offset, entry.error().message);
        return true;
      }
      auto shared = std::make_shared<const record::IndexEntry>(std::move(*entry));
      found[stored.offset] = shared;
      keep({partition, stored.offset}, shared);
      return true;
    }));
    first = std::next(last);
  }
  return {};
}

Result<std::vector<EntryPtr>> EntryCache::get(PartitionId partition, const std::vector<SegmentRow>& rows,
                                              const StopToken& stop) {
  std::map<Offset, EntryPtr> found;
  std::vector<Offset> missing;
  for (const auto& row : rows) {
    if (auto entry = look_up({partition, row.entry}))
      found[row.entry] = std::move(entry);
    else
      missing.push_back(row.entry);
  }
  if (!missing.empty()) GOPLINE_TRY(read_missing(partition, std::move(missing), found, stop));
  std::vector<EntryPtr> out;
  out.reserve(rows.size());
  for (const auto& row : rows) out.push_back(found[row.entry]);
  return out;
}

}  // namespace gopline::server
