#pragma once
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/media/segment.h"
#include "common/media/types.h"

namespace gopline::media {

// Turns segments of one epoch into the bytes that are stored: ftyp moov and one moof mdat per run, or one NUT
// file per segment where no MP4 sample entry can carry a track. Payloads are shared, not copied. Not
// thread-safe.
class SegmentBuilder {
 public:
  virtual ~SegmentBuilder() = default;
  // `first`: the epoch's first segment, which tells what the init needs to know beyond the tracks (whether
  // parameter sets are in-band).
  static Result<std::unique_ptr<SegmentBuilder>> create(const std::vector<Track>& tracks,
                                                        const Segment& first);

  // Segments in order, or their parts. A NUT file has no parts: kUnsupported.
  virtual Result<BuiltSegment> build(const Segment& segment) = 0;
  // Whether segments of these tracks can leave in parts.
  static bool has_parts(const std::vector<Track>& tracks);

  virtual std::string init_xxh3() const = 0;  // of the first init; empty for NUT
  virtual bool is_nut() const = 0;
};

}  // namespace gopline::media
