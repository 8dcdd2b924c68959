#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/http/message.h"
#include "common/http/request_target.h"
#include "server/access/access.h"
#include "server/entry_cache.h"
#include "server/heard_segments.h"
#include "server/hls_playlist.h"
#include "server/live_edge.h"
#include "server/segment_store.h"
#include "server/stream_catalog.h"

namespace gopline::server {

// A segment, and when it was taken.
struct ServedMedia {
  http::Response response;
  Timestamp time;
};

// What lies under /streams/ID/ for HLS: hls.m3u8, live.m3u8, init/HASH.mp4,
// segments/EPOCH-SEGMENT.m4s, parts/EPOCH-SEGMENT-PART.m4s, stored/EPOCH-SEGMENT.mp4. All
// methods block while the log is read. Thread-safe.
class HlsRoutes {
 public:
  // All outlive it. `heard`: where sound that browsers do not know is transcoded; nullptr: it is left out.
  // `redirects`: players are sent to the stores in which claim-checked segments lie.
  HlsRoutes(StreamCatalog& catalog, EntryCache& entries, SegmentStore& segments, HeardSegments* heard,
            LiveEdge& edge, bool redirects)
      : catalog_(catalog),
        entries_(entries),
        segments_(segments),
        heard_(heard),
        edge_(edge),
        redirects_(redirects) {}

  // Calls `then` once what is asked for is there, or will not be: who asks for the playlist from a part on,
  // or for a part, is answered when there is something to say (RFC 8216bis, 6.2.5.2). As LiveEdge::await().
  void when_there(const http::RequestTarget& target, std::function<void()> then, const StopToken& stop);

  Result<http::Response> recorded(const std::string& stream, const http::RequestTarget& target,
                                  const Viewer& viewer, const StopToken& stop);
  Result<http::Response> live(const std::string& stream, const http::RequestTarget& target,
                              const Viewer& viewer, const StopToken& stop);
  Result<http::Response> init(const std::string& stream, const std::string& file, const StopToken& stop);
  Result<ServedMedia> part(const std::string& stream, const std::string& file);
  Result<ServedMedia> segment(const std::string& stream, const std::string& file, const StopToken& stop);
  // A segment as it was stored, its init before it: with `may_redirect`, from its store if that gives it to
  // who has no key.
  Result<ServedMedia> stored(const std::string& stream, const std::string& file, bool may_redirect,
                             const StopToken& stop);

 private:
  using InitKey = std::pair<std::string, std::string>;  // stream, hash

  // `with_sound`: transcoded, where it has to be.
  Result<Playlist> playlist_of(const StreamView& stream, const std::vector<SegmentRow>& rows, bool renumbered,
                               bool with_sound, const StopToken& stop);
  Result<ServedMedia> heard_segment(const std::string& stream, const std::string& name,
                                    const StopToken& stop);
  EntryPtr entry_before(const record::IndexEntry& entry, const StopToken& stop);
  Result<EntryPtr> entry_of(const StreamView& stream, const SegmentRow& row, const StopToken& stop);
  Result<EntryPtr> entry_named(const std::string& stream, const std::string& name, const StopToken& stop);
  std::uint64_t init_size_to_skip(const record::IndexEntry& entry, const StopToken& stop);
  Result<EntryPtr> entry_with_init(const std::string& stream, const std::string& hash, const StopToken& stop);
  std::optional<LiveSegment> live_segment(const std::string& stream, EpochNumber epoch, SegmentNumber number);
  void remember_inits(const std::string& stream, const std::vector<EntryPtr>& entries);

  StreamCatalog& catalog_;
  EntryCache& entries_;
  SegmentStore& segments_;
  HeardSegments* heard_;
  LiveEdge& edge_;
  const bool redirects_;
  std::mutex mutex_;
  std::map<InitKey, EntryPtr> inits_;            // a segment that has it
  std::map<InitKey, std::uint64_t> init_sizes_;  // where fragments begin behind it; 0: some are left out
};

// The parameter as a time; nullopt where it is not there. kInvalidArgument names it.
Result<std::optional<Timestamp>> time_parameter(const http::RequestTarget& target, std::string_view name);

}  // namespace gopline::server
