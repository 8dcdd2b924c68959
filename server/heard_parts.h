#pragma once
#include <cstddef>
#include <vector>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "server/entry_finder.h"
#include "server/heard_segments.h"
#include "server/live_window.h"
#include "server/segment_store.h"

namespace gopline::server {

// Segments that come in parts, with sound that browsers know in the place of sound that they do not. A part's
// sound is made of its own and of half a second before it, as a segment's is; it has the frames that need
// nothing of the next part, so that sound comes some 85 ms behind the pictures. Thread-safe.
class HeardParts {
 public:
  // All outlive it.
  HeardParts(HeardSegments& heard, EntryFinder& finder, SegmentStore& segments)
      : heard_(heard), finder_(finder), segments_(segments) {}

  bool has_sound(const LiveSegment& segment);

  // As browsers get them, of the segment at that place among those that are known of a stream (of a complete
  // one, the same as HeardSegments has it). kNotFound: it has no such sound.
  Result<Buffer> init(const LiveSegment& segment);
  Result<BufferChain> part(const std::vector<LiveSegment>& segments, std::size_t at, std::size_t part,
                           const StopToken& stop);
  Result<BufferChain> segment(const std::vector<LiveSegment>& segments, std::size_t at,
                              const StopToken& stop);

 private:
  std::vector<StoredMedia> before(const std::vector<LiveSegment>& segments, std::size_t at, bool is_whole,
                                  const StopToken& stop);

  HeardSegments& heard_;
  EntryFinder& finder_;
  SegmentStore& segments_;
};

}  // namespace gopline::server
