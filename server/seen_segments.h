#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "server/entry_finder.h"
#include "server/heard_segments.h"
#include "server/once_cache.h"
#include "server/renditions/video_rendition.h"
#include "server/segment_store.h"
#include "server/transcodings.h"

namespace gopline::server {

// How the pictures of a segment get to a browser.
enum class SeenAs {
  kStored,     // as they are: every browser knows them, or there are none
  kEither,     // as they are where the browser knows them (HEVC, AV1), else as H.264
  kTranscoded  // as H.264: no browser knows them, or not what they lie in
};

// Segments with pictures that browsers know in the place of those that they do not, and with sound that they
// know: transcoded when somebody asks, once for all who do meanwhile, and for nobody else. Thread-safe.
class SeenSegments {
 public:
  // All outlive it.
  SeenSegments(SegmentStore& segments, EntryFinder& finder, HeardSegments& heard, const Clock& clock,
               const ServerMetrics& metrics);

  // Of the first segment with its init that is asked about, a segment is read; one that cannot be is left to
  // who asks for it.
  SeenAs seen_as(const record::IndexEntry& entry, const StopToken& stop);

  // What a multivariant playlist says of segments with the init of this one.
  struct Facts {
    SeenAs seen_as = SeenAs::kStored;
    std::vector<std::string> codecs;  // RFC 6381, of all tracks, as they are; those transcoded that must be
    std::vector<std::string> transcoded;  // with the pictures as H.264
    int width = 0, height = 0;
    std::int64_t most_bit_rate = 0;  // of the pictures as H.264
  };
  Result<Facts> facts(const record::IndexEntry& entry, const StopToken& stop);

  // As browsers get them that know H.264 alone. kNotFound: its pictures are not transcoded.
  Result<Buffer> init(const record::IndexEntry& entry, const StopToken& stop);
  // Calls `then` once, at once or later, from any thread. `gone`: who asks waits no more. Errors as
  // Transcodings::get() and SegmentStore::get().
  void segment(EntryPtr entry, const StopToken& gone, const StopToken& stop,
               std::function<void(Result<BufferChain>)> then);

  // Cuts off what is under way.
  void stop() { transcodings_.stop(); }

 private:
  struct Known {  // of all segments with one init
    SeenAs seen_as = SeenAs::kStored;
    std::optional<VideoRendition> rendition;
  };
  using Key = std::pair<std::string, std::string>;  // a stream and one of its inits
  using KnownPtr = std::shared_ptr<const Known>;

  Result<KnownPtr> known(const record::IndexEntry& entry, const StopToken& stop);
  Result<Known> look_at(const record::IndexEntry& entry, const StopToken& stop);
  Result<Facts> look_for_facts(const record::IndexEntry& entry, const StopToken& stop);
  Result<std::vector<EntryPtr>> group_of(const EntryPtr& entry, const VideoRendition& rendition,
                                         const StopToken& stop);
  Transcodings::Made transcode(const std::vector<EntryPtr>& group, const VideoRendition& rendition,
                               const StopToken& stop, const Transcodings::IsWanted& is_wanted);
  Result<BufferChain> with_other_tracks(const BufferChain& video, const EntryPtr& entry, int video_id,
                                        const StopToken& stop);

  SegmentStore& segments_;
  EntryFinder& finder_;
  HeardSegments& heard_;
  const Clock& clock_;
  const ServerMetrics metrics_;
  OnceCache<Key, Known> known_;
  OnceCache<Key, Facts> facts_;
  Transcodings transcodings_;
};

}  // namespace gopline::server
