#include "server/entry_cache.h"

#include <algorithm>

#include "common/base/logging.h"
#include "common/catalog/partition_scan.h"
#include "common/record/event_type.h"
#include "common/record/hour_columns.h"

namespace gopline::server {
namespace {

// Records of other streams that are read along rather than left out by seeking.
constexpr std::int64_t kNear = 64;
constexpr std::size_t kReadBytes = 128 << 10;  // about as many entries: what is beyond them is read in vain

using Place = std::pair<Offset, SegmentNumber>;
using Entries = std::vector<std::pair<SegmentNumber, EntryPtr>>;

bool is_of_record(const Place& a, const Place& b) {
  return a.first < b.first;
}

void take(const StoredRecord& stored, Result<record::IndexEntry> entry, Entries& out) {
  if (entry) {
    auto segment = entry->segment;
    out.emplace_back(segment, std::make_shared<const record::IndexEntry>(std::move(*entry)));
  } else {
    log_warning(stored.key, "index entry at offset {}: {}", stored.offset, entry.error().message);
  }
}

// Those of `wanted`, sorted, that the record has.
Entries entries_in(const StoredRecord& stored, const std::vector<Place>& wanted) {
  Entries out;
  auto type = record::event_type_of(stored.headers);
  if (!type || *type != record::EventType::kIndexHour) {
    take(stored, record::parse_index_entry(stored.headers, *stored.value), out);
    return out;
  }
  auto hour = record::HourColumns::parse(stored.headers, *stored.value);
  if (!hour) {
    log_warning(stored.key, "roll-up at offset {}: {}", stored.offset, hour.error().message);
    return out;
  }
  for (std::size_t i = 0; i < hour->size(); ++i) {
    auto row = hour->row(i);
    bool is_wanted =
        row && std::binary_search(wanted.begin(), wanted.end(), Place(stored.offset, row->segment));
    if (is_wanted) take(stored, hour->entry(i), out);
  }
  return out;
}

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

Result<void> EntryCache::read_missing(PartitionId partition, std::vector<Place> wanted, Found& found,
                                      const StopToken& stop) {
  std::sort(wanted.begin(), wanted.end());
  catalog::ScanOptions options;
  options.stop = stop;
  options.max_poll_bytes = kReadBytes;
  catalog::PartitionScanner scanner(log_, {index_topic_, partition}, options);
  for (auto first = wanted.begin(); first != wanted.end();) {
    auto last = first;
    while (std::next(last) != wanted.end() && std::next(last)->first.value - last->first.value <= kNear)
      ++last;
    GOPLINE_TRY(scanner.scan(first->first, last->first.next(), [&](const StoredRecord& stored) {
      auto [begin, end] = std::equal_range(first, std::next(last), Place(stored.offset, {}), is_of_record);
      if (!stored.value || begin == end) return true;
      for (auto& [segment, entry] : entries_in(stored, std::vector<Place>(begin, end))) {
        Place place{stored.offset, segment};
        found[place] = entry;
        keep({partition, place}, std::move(entry));
      }
      return true;
    }));
    first = std::next(last);
  }
  return {};
}

Result<std::vector<EntryPtr>> EntryCache::get(PartitionId partition, const std::vector<SegmentRow>& rows,
                                              const StopToken& stop) {
  Found found;
  std::vector<Place> missing;
  for (const auto& row : rows) {
    Place place{row.entry, row.segment};
    if (auto entry = look_up({partition, place}))
      found[place] = std::move(entry);
    else
      missing.push_back(place);
  }
  if (!missing.empty()) GOPLINE_TRY(read_missing(partition, std::move(missing), found, stop));
  std::vector<EntryPtr> out;
  out.reserve(rows.size());
  for (const auto& row : rows) out.push_back(found[{row.entry, row.segment}]);
  return out;
}

}  // namespace gopline::server
