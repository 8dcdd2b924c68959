#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/headers.h"
#include "common/base/rational.h"
#include "common/base/result.h"
#include "common/base/strong_int.h"
#include "common/record/vocabulary.h"

namespace gopline::record {

// Where a payload lies that is not in its record (claim check).
struct DataRef {
  std::string uri;         // ce_dataref
  std::uint64_t size = 0;  // ce_datasize
  std::string xxh3;        // ce_dataxxh3
  bool operator==(const DataRef&) const = default;
};

// The headers of one chunk of a segment: docs/record-format.md, section 2. A field marked "last" is set on
// the last chunk and may be absent before.
struct SegmentHeaders {
  std::string stream;
  std::string writer;  // UUID of the writer's run
  EpochNumber epoch;
  SegmentNumber segment;
  std::int64_t chunk = 0;
  bool last_chunk = false;
  Ordinal ordinal;
  std::int64_t discontinuities = 0;
  Timestamp time;  // capture time of the first main-track packet in decode order, at its pts
  CaptureClock clock = CaptureClock::kFile;
  Rational start;                    // ticks/timescale of the main track
  std::optional<Rational> duration;  // last
  int sap = 0;
  bool late = false;
  std::string content_type;
  std::string xxh3;                            // of this chunk's value
  std::optional<std::uint64_t> size;           // last: of the whole segment
  std::optional<std::string> sha256;           // last, with --digest sha256
  std::optional<std::string> previous_sha256;  // last, absent at segment 0
  std::optional<DataRef> dataref;
  std::string traceparent;  // empty: none

  int unknown_headers = 0;  // counted by the parser, not written
};

// All headers of the chunk, ready to be stored. O(number of headers).
Headers encode(const SegmentHeaders& headers);

// Strict about what a reader needs (kCorrupt names the header), tolerant of headers it does not know
// (counted). kUnsupported for another major version; kInvalidArgument when the record is not a segment.
Result<SegmentHeaders> parse_segment_headers(const Headers& headers);

// `ce_id` of a chunk: EPOCH-SEGMENT-CHUNK.
std::string chunk_id(EpochNumber epoch, SegmentNumber segment, std::int64_t chunk);

}  // namespace gopline::record
