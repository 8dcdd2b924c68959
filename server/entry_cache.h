#pragma once
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/record/markers.h"
#include "server/segment_rows.h"

namespace gopline::server {

using EntryPtr = std::shared_ptr<const record::IndexEntry>;

// The index entries behind rows, out of records of their own or of roll-ups: read when they are asked for,
// the newest few thousand kept. Thread-safe.
class EntryCache {
 public:
  // `log` outlives the cache. `index_topic`: NS.index.
  EntryCache(Log& log, std::string index_topic, std::size_t most_entries = 20'000)
      : log_(log), index_topic_(std::move(index_topic)), most_(most_entries) {}

  // The entries of `rows`, in their order. An entry that is damaged, or gone since, is nullptr.
  Result<std::vector<EntryPtr>> get(PartitionId partition, const std::vector<SegmentRow>& rows,
                                    const StopToken& stop);

 private:
  using Place = std::pair<Offset, SegmentNumber>;  // a roll-up has many
  using Key = std::pair<PartitionId, Place>;
  using Found = std::map<Place, EntryPtr>;
  EntryPtr look_up(const Key& key);
  void keep(const Key& key, EntryPtr entry);
  Result<void> read_missing(PartitionId partition, std::vector<Place> wanted, Found& found,
                            const StopToken& stop);

  Log& log_;
  const std::string index_topic_;
  const std::size_t most_;
  std::mutex mutex_;
  std::list<std::pair<Key, EntryPtr>> used_;  // the one used last comes first
  std::map<Key, std::list<std::pair<Key, EntryPtr>>::iterator> by_key_;
};

}  // namespace gopline::server
