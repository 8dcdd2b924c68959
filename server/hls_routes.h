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
#include "server/entry_finder.h"
#include "server/heard_parts.h"
#include "server/heard_segments.h"
#include "server/hls_playlist.h"
#include "server/live_edge.h"
#include "server/seen_segments.h"
#include "server/segment_store.h"
#include "server/stream_catalog.h"

namespace gopline::server {

// A segment, and when it was taken.
struct ServedMedia {
  http::Response response;
  Timestamp time;
};

// What lies under /streams/ID/ for HLS: watch.m3u8, hls.m3u8, live.m3u8, init/HASH.mp4,
// segments/EPOCH-SEGMENT.m4s, parts/EPOCH-SEGMENT-PART.m4s, stored/EPOCH-SEGMENT.mp4. All
// methods block while the log is read. Thread-safe.
class HlsRoutes {
 public:
  // All outlive it. `heard`, `heard_parts`, `seen`: where sound and pictures that browsers do not know are
  // transcoded; nullptr: they are left out. `redirects`: players are sent to the stores in which
  // claim-checked segments lie.
  HlsRoutes(StreamCatalog& catalog, EntryCache& entries, EntryFinder& finder, SegmentStore& segments,
            HeardSegments* heard, HeardParts* heard_parts, SeenSegments* seen, LiveEdge& edge, bool redirects)
      : catalog_(catalog),
        entries_(entries),
        finder_(finder),
        segments_(segments),
        heard_(heard),
        heard_parts_(heard_parts),
        seen_(seen),
        edge_(edge),
        redirects_(redirects) {}

  // Calls `then` once what is asked for is there, or will not be: who asks for the playlist from a part on,
  // or for a part, is answered when there is something to say (RFC 8216bis, 6.2.5.2). As LiveEdge::await().
  void when_there(const http::RequestTarget& target, std::function<void()> then, const StopToken& stop);

  Result<http::Response> recorded(const std::string& stream, const http::RequestTarget& target,
                                  const Viewer& viewer, const StopToken& stop);
  Result<http::Response> live(const std::string& stream, const http::RequestTarget& target,
                              const Viewer& viewer, const StopToken& stop);
  // A multivariant playlist of these two: of what was recorded where the target has a time, else live.
  Result<http::Response> watch(const std::string& stream, const http::RequestTarget& target,
                               const Viewer& viewer, const StopToken& stop);
  Result<http::Response> init(const std::string& stream, const std::string& file, const StopToken& stop);
  Result<ServedMedia> part(const std::string& stream, const std::string& file, const StopToken& stop);
  Result<ServedMedia> segment(const std::string& stream, const std::string& file, const StopToken& stop);

  // Whether what is asked for is a segment whose pictures are transcoded, and such a segment: `then` is
  // called once, perhaps later, from any thread. `gone`: who asks waits no more.
  bool is_transcoded(const http::RequestTarget& target) const;
  void transcoded(const std::string& stream, const std::string& file, const StopToken& gone,
                  const StopToken& stop, std::function<void(Result<ServedMedia>)> then);

  // A segment as it was stored, its init before it: with `may_redirect`, from its store if that gives it to
  // who has no key.
  Result<ServedMedia> stored(const std::string& stream, const std::string& file, bool may_redirect,
                             const StopToken& stop);

 private:
  using InitKey = std::pair<std::string, std::string>;  // stream, hash
  struct Stretch {                                      // of a stream, that a playlist shows
    StreamView view;
    std::vector<SegmentRow> rows;
    Duration target{0};
  };
  struct Wish {
    bool renumbered = false;
    bool as_h264 = false;  // pictures that browsers may not know
  };
  struct LivePlace {  // among the segments that are known by their parts
    std::vector<LiveSegment> segments;
    std::size_t at = 0;
  };

  Result<Stretch> recorded_stretch(const std::string& stream, const http::RequestTarget& target,
                                   const StopToken& stop);
  Result<Stretch> live_stretch(const std::string& stream, const StopToken& stop);
  Result<Playlist> playlist_of(const Stretch& stretch, const Wish& wish, const StopToken& stop);
  std::string_view ending_of(const record::IndexEntry& entry, const Wish& wish, const StopToken& stop);
  Result<bool> wants_h264(const http::RequestTarget& target) const;
  bool has_parts(const Stretch& stretch, bool as_h264, const StopToken& stop);
  Result<ServedMedia> heard_segment(const std::string& stream, const std::string& name,
                                    const StopToken& stop);
  std::uint64_t init_size_to_skip(const record::IndexEntry& entry, const StopToken& stop);
  std::optional<LivePlace> live_place(const std::string& stream, EpochNumber epoch, SegmentNumber number);

  StreamCatalog& catalog_;
  EntryCache& entries_;
  EntryFinder& finder_;
  SegmentStore& segments_;
  HeardSegments* heard_;
  HeardParts* heard_parts_;
  SeenSegments* seen_;
  LiveEdge& edge_;
  const bool redirects_;
  std::mutex mutex_;
  std::map<InitKey, std::uint64_t> init_sizes_;  // where fragments begin behind it; 0: some are left out
};

// The parameter as a time; nullopt where it is not there. kInvalidArgument names it.
Result<std::optional<Timestamp>> time_parameter(const http::RequestTarget& target, std::string_view name);

}  // namespace gopline::server
