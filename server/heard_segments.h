#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "server/entry_cache.h"
#include "server/live_window.h"
#include "server/once_cache.h"
#include "server/renditions/sound_rendition.h"
#include "server/segment_store.h"
#include "server/server_metrics.h"

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

  // An init of browsers with the track of that sound in it; as it is where there is none.
  Result<Buffer> with_sound(const Buffer& init, const record::IndexEntry& entry, const StopToken& stop);
  // moof mdat of a segment's sound; empty where there is none. `before`: the entry that it follows on without
  // a break; nullptr: none. Errors as SegmentStore::get().
  Result<BufferChain> sound(const record::IndexEntry& entry, const EntryPtr& before, const StopToken& stop);

  // As browsers get them that know the pictures. kNotFound: it has no such sound.
  Result<Buffer> init(const record::IndexEntry& entry, const StopToken& stop);
  Result<BufferChain> segment(const record::IndexEntry& entry, const EntryPtr& before, const StopToken& stop);

  // For segments that come in parts: what makes their sound (nullptr: there is nothing to do), and what is
  // made once and kept for a while, of a part or of kWhole.
  using RenditionPtr = std::shared_ptr<const SoundRendition>;
  using Key = std::tuple<std::string, EpochNumber, SegmentNumber, std::int64_t>;
  static constexpr std::int64_t kWhole = -1;
  Result<RenditionPtr> rendition(const LiveSegment& segment);
  Result<BufferChain> once(const Key& key, const std::function<Result<BufferChain>()>& make);

 private:
  static constexpr std::size_t kMostBytes = 32 << 20;
  using InitKey = std::pair<std::string, std::string>;  // stream, init

  Result<RenditionPtr> rendition(const record::IndexEntry& entry, const StopToken& stop);
  Result<RenditionPtr> make_rendition(const record::IndexEntry& entry, const StopToken& stop);
  std::optional<RenditionPtr> known(const InitKey& key);
  RenditionPtr remember(const InitKey& key, RenditionPtr made);
  Result<BufferChain> transcode(const SoundRendition& rendition, const record::IndexEntry& entry,
                                const EntryPtr& before, const StopToken& stop);

  SegmentStore& segments_;
  const Clock& clock_;
  const ServerMetrics metrics_;
  OnceCache<Key, BufferChain> sounds_;
  std::mutex mutex_;
  std::map<InitKey, RenditionPtr> renditions_;
};

}  // namespace gopline::server
