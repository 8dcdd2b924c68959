#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "server/entry_cache.h"
#include "server/once_cache.h"
#include "server/segment_store.h"
#include "server/server_metrics.h"
#include "server/sound_rendition.h"

namespace gopline::server {

// Segments with sound that browsers know in the place of sound that they do not: transcoded when it is first
// asked for, once for all who listen, and kept within a bound in bytes. Thread-safe.
class HeardSegments {
 public:
  // `segments` outlives it.
  HeardSegments(SegmentStore& segments, const Clock& clock, const ServerMetrics& metrics)
      : segments_(segments), clock_(clock), metrics_(metrics), sounds_(kMostBytes) {}

  // Whether this segment has sound that has to be transcoded; of the first with its init a segment is read.
  bool has_sound(const record::IndexEntry& entry, const StopToken& stop);

  // As browsers get them. `before`: the entry that it follows on without a break; nullptr: none. kNotFound:
  // it has no such sound; else as SegmentStore::get().
  Result<Buffer> init(const record::IndexEntry& entry, const StopToken& stop);
  Result<BufferChain> segment(const record::IndexEntry& entry, const EntryPtr& before, const StopToken& stop);

 private:
  static constexpr std::size_t kMostBytes = 32 << 20;
  using RenditionPtr = std::shared_ptr<const SoundRendition>;  // nullptr: there is nothing to do
  using Key = std::tuple<std::string, EpochNumber, SegmentNumber>;

  Result<RenditionPtr> rendition(const record::IndexEntry& entry, const StopToken& stop);
  Result<RenditionPtr> make_rendition(const record::IndexEntry& entry, const StopToken& stop);
  Result<std::shared_ptr<const BufferChain>> transcode(const record::IndexEntry& entry,
                                                       const EntryPtr& before, const StopToken& stop);

  SegmentStore& segments_;
  const Clock& clock_;
  const ServerMetrics metrics_;
  OnceCache<Key, BufferChain> sounds_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, RenditionPtr> renditions_;  // by stream and init
};

}  // namespace gopline::server
