#pragma once
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/bytes/buffer.h"
#include "server/entry_cache.h"
#include "server/segment_store.h"
#include "server/stream_catalog.h"

namespace gopline::server {

struct Snapshot {
  Buffer jpeg;
  Timestamp time;   // at which the picture was taken
  std::string tag;  // the same tag is the same picture
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

// Single pictures as JPEG. Of what leads to one no more is decoded than what the stream asks for: from the
// key frame before it. The ones used last are kept. Thread-safe.
class Snapshots {
 public:
  // All outlive it.
  Snapshots(StreamCatalog& catalog, EntryCache& entries, SegmentStore& segments,
            std::size_t most_bytes = 32 << 20)
      : catalog_(catalog), entries_(entries), segments_(segments), most_bytes_(most_bytes) {}

  // The picture that was shown at that time; without one, the newest key frame. `max_width` as for to_jpeg().
  // kNotFound: nothing was recorded then. kUnavailable: too many ask. Blocks while it is read and decoded.
  Result<SnapshotPtr> get(const std::string& stream, std::optional<Timestamp> at, int max_width,
                          const StopToken& stop);

 private:
  using Group = std::vector<EntryPtr>;  // segments of one GOP, the last one with the picture
  static constexpr int kMostDecoding = 2;

  Result<SegmentRow> row_at(const std::string& stream, std::optional<Timestamp> at, const StopToken& stop);
  Result<Group> group_of(const StreamView& view, const SegmentRow& row, const StopToken& stop);
  Result<SnapshotPtr> make(const StreamView& view, const SegmentRow& row, std::optional<Timestamp> at,
                           int max_width, const StopToken& stop);
  SnapshotPtr look_up(const std::string& key);
  void keep(const std::string& key, const SnapshotPtr& snapshot);

  StreamCatalog& catalog_;
  EntryCache& entries_;
  SegmentStore& segments_;
  const std::size_t most_bytes_;
  std::counting_semaphore<> decoding_{kMostDecoding};
  std::atomic<int> waiting_{0};
  std::mutex mutex_;
  std::list<std::pair<std::string, SnapshotPtr>> used_;  // the one used last comes first
  std::map<std::string, std::list<std::pair<std::string, SnapshotPtr>>::iterator> by_key_;
  std::size_t bytes_ = 0;
};

}  // namespace gopline::server
