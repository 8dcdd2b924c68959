#pragma once
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "server/entry_cache.h"
#include "server/stream_catalog.h"

namespace gopline::server {

// Index entries by what addresses say of them. All methods block while the log is read. Thread-safe.
class EntryFinder {
 public:
  // Both outlive it.
  EntryFinder(StreamCatalog& catalog, EntryCache& entries) : catalog_(catalog), entries_(entries) {}

  // Of the segment of that name ("12-5"). kNotFound.
  Result<EntryPtr> named(const std::string& stream, const std::string& name, const StopToken& stop);
  // That of the segment which this one follows on without a break; nullptr: none.
  EntryPtr before(const record::IndexEntry& entry, const StopToken& stop);
  // Of a segment with that init, as init_name() has it. kNotFound.
  Result<EntryPtr> with_init(const std::string& stream, const std::string& init, const StopToken& stop);
  // So that with_init() need not look for them.
  void remember_inits(const std::string& stream, const std::vector<EntryPtr>& entries);

 private:
  StreamCatalog& catalog_;
  EntryCache& entries_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, EntryPtr> inits_;  // by stream and name
};

}  // namespace gopline::server
