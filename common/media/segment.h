#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/rational.h"
#include "common/bytes/buffer_chain.h"
#include "common/media/types.h"

// A segment before and after its bytes: docs/record-format.md, sections 3 and 5.
namespace gopline::media {

// A packet with its place on the epoch's timeline. Timeline ticks are source ticks x time_base.num since T0.
struct TimedPacket {
  Packet packet;
  std::int64_t dts = 0;       // source ticks; resolved where the source has none
  std::int64_t pts = 0;       // source ticks; resolved where the source has none
  std::int64_t time = 0;      // timeline ticks: tfdt plus the durations before it; never goes back
  std::int64_t duration = 0;  // timeline ticks to the next packet of the track (trun sample_duration)
};

// Consecutive packets of one track that share one origin: what becomes one moof and mdat.
struct Run {
  int track = 0;
  std::int64_t origin = 0;  // source ticks at timeline zero
  std::vector<TimedPacket> packets;
};

// A segment, or a part of one that leaves while the segment is still open; then everything but `part` and
// `last_part` is of the part alone.
struct Segment {
  std::vector<Run> runs;  // main track first, then by track; several runs of a track in time order
  int part = 0;           // number in the segment, from 0
  bool last_part = true;
  int sap = 0;  // ISO/IEC 14496-12 Annex I, of the main track's first packet; 0: a continuation, as is
                // every part but the first
  bool discontinuity = false;  // timestamps jumped: a new T0 begins here
  std::int64_t start = 0;      // timeline ticks of the main track's first packet
  std::int64_t duration = 0;   // sum of the main track's durations, timeline ticks
  std::int64_t first_pts = 0;  // timeline ticks at which the main track's first packet is shown
  std::int64_t timescale = 1;  // of the main track
  std::uint64_t sample_bytes = 0;
  std::vector<Track> new_tracks;  // all tracks anew, when codec parameters change here; else empty
};

// One fragment of what was built: where it lies, for NS.index.
struct PartInfo {
  int track_id = 0;
  std::uint64_t offset = 0;   // of the moof, from the first byte of what was built
  std::uint64_t size = 0;     // moof and mdat
  std::int64_t duration = 0;  // timeline ticks
  int sap = 0;                // of its first sample; 0 unless it is a random access point
};

// A segment, or a part of one, as it will be stored.
struct BuiltSegment {
  BufferChain bytes;         // ftyp moov (moof mdat)*, or one NUT file; of a later part (moof mdat)*
  std::string content_type;  // video/mp4; codecs="..."
  std::string init_xxh3;     // of ftyp moov; empty for NUT
  std::size_t init_size = 0;
  std::vector<PartInfo> parts;
  int part = 0;  // these two as in Segment
  bool last_part = true;
  int sap = 0;
  bool discontinuity = false;  // a new T0 or a new init
  std::int64_t start = 0;
  std::int64_t duration = 0;
  std::int64_t timescale = 1;
  std::int64_t first_pts = 0;
  std::uint64_t packets = 0;
};

}  // namespace gopline::media
