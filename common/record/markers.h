#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/headers.h"
#include "common/base/rational.h"
#include "common/base/result.h"
#include "common/base/strong_int.h"
#include "common/bytes/buffer.h"
#include "common/media/types.h"
#include "common/record/vocabulary.h"

// Records whose value is JSON: docs/record-format.md, sections 4, 6 and 7. Plain values; encode() gives what
// is stored and parse_NAME() takes it back. Parsers verify `ce_xxh3`, ignore members they do not know, and
// answer kCorrupt (with the member's name) or kUnsupported (another major version: the message says what to
// upgrade).
namespace gopline::record {

// A record ready for the log.
struct Encoded {
  std::string key;
  Headers headers;
  Buffer value;
};

// An epoch that goes on with what an earlier one left unfinished: a file whose writer died.
struct Continuation {
  EpochNumber epoch;
  std::int64_t segments = 0;  // of that epoch, from 0, that come first; its other ones do not count
  std::uint64_t bytes =
      0;  // of all segments before this epoch's first, that epoch's own continuation included
  bool operator==(const Continuation&) const = default;
};

// Opens an epoch. Its number is `epoch_base` + the offset of this record.
struct EpochStarted {
  std::string stream;
  std::string writer;  // UUID of the writer's run
  std::int64_t epoch_base = 0;
  Timestamp time;  // the writer's clock
  CaptureClock clock = CaptureClock::kFile;
  media::SourceInfo source;
  std::vector<media::Track> tracks;
  std::string content_type;  // "video/mp4", "audio/mp4", "video/x-nut"; of a file, the file's
  std::string init_xxh3;     // of the first init (ftyp moov); empty for NUT
  std::string program;       // "gopline 0.1.0"
  bool late = false;
  std::optional<Continuation> continues;
};

struct EpochEnded {
  std::string stream;
  std::string writer;
  EpochNumber epoch;
  Timestamp time;  // the writer's clock
  EndCause cause = EndCause::kEndOfInput;
  std::int64_t segments = 0;
  std::uint64_t bytes = 0;
  bool late = false;
};

// What a gap says, wherever it is told.
struct GapFacts {
  GapCause cause = GapCause::kLost;
  Timestamp from, to;       // capture time
  std::uint64_t bytes = 0;  // of footage dropped; 0: unknown
  bool operator==(const GapFacts&) const = default;
};

// Gaps in a row as the index tells them, as one: the first cause, the whole span, the sum.
GapFacts joined(const std::optional<GapFacts>& first, const GapFacts& next);

// Footage that was never written. Precedes the next segment.
struct Gap {
  std::string stream;
  std::string writer;
  EpochNumber epoch;
  std::int64_t number = 0;  // in the epoch, from 0
  Timestamp time;           // the writer's clock
  GapFacts facts;
  bool late = false;
};

// One fragment of a segment in the index.
struct IndexPart {
  int track = 0;             // track_ID
  std::uint64_t offset = 0;  // from the segment's first byte
  std::uint64_t size = 0;
  Rational duration;
  int sap = 0;
  bool operator==(const IndexPart& other) const = default;
};

// One segment in NS.index, written after its chunks are acknowledged.
struct IndexEntry {
  std::string stream;
  std::string writer;
  EpochNumber epoch;
  Offset epoch_offset;  // of the epoch.started record, in the segment's partition
  SegmentNumber segment;
  Ordinal ordinal;
  std::int64_t discontinuities = 0;
  bool late = false;
  PartitionId partition;        // of NS.segments
  std::vector<Offset> offsets;  // of the chunks, in order
  std::string dataref;          // empty: the payload is in the records
  Timestamp time;               // capture time, as ce_time
  CaptureClock clock = CaptureClock::kFile;
  Rational start, duration;
  std::uint64_t size = 0;
  int sap = 0;
  std::string init_xxh3;         // empty for NUT
  std::vector<IndexPart> parts;  // empty when the writer did not know them (NUT; healed after a crash)
  std::optional<GapFacts> gap;   // before this segment
  bool operator==(const IndexEntry&) const = default;

  // Capture time at which the segment's main track ends.
  Timestamp end_time() const;
};

// All index entries of one hour of an epoch.
struct IndexHour {
  std::string stream;
  std::string writer;
  EpochNumber epoch;
  std::string hour;    // "2026-11-22T18"
  Timestamp from, to;  // earliest time and latest end time of the entries
  std::uint64_t bytes = 0;
  std::int64_t segments = 0;
  std::int64_t gaps = 0;
  bool late = false;
  std::vector<IndexEntry> entries;  // empty when the roll-up keeps only its sums
};

// The newest state of a stream in NS.streams.
struct StreamState {
  std::string stream;
  PartitionId partition;             // of NS.segments and NS.index, for ever
  std::optional<EpochNumber> epoch;  // nullopt: a first writer only claims the partition
  std::int64_t epoch_base = 0;
  Offset epoch_offset;                  // of epoch.started
  std::optional<EpochStarted> started;  // of that epoch
  std::optional<EndCause> ended;        // nullopt: open, or its writer died
  std::optional<Ordinal> ordinal;       // highest written; nullopt: no segment yet
  std::int64_t discontinuities = 0;     // of that segment
  std::int64_t segments = 0;            // acknowledged in this epoch
  std::uint64_t bytes = 0;              // acknowledged in this epoch
  std::optional<Timestamp> first_time;  // capture time of the stream's first segment ever written
  std::optional<Timestamp> last_time;   // capture time at which the newest segment ends
  Offset
      position;  // of NS.segments: every record of the stream before it is accounted for here and in NS.index
  Offset index_position;  // of NS.index: entries of segments from `position` on lie from here on
  Timestamp updated;      // the writer's clock
};

Encoded encode(const EpochStarted& marker);
Encoded encode(const EpochEnded& marker);
Encoded encode(const Gap& marker);
Encoded encode(const IndexEntry& entry);
// Columns are left out, biggest first, until the value fits `max_value_bytes`; the sums always stay.
Encoded encode(const IndexHour& hour, std::size_t max_value_bytes = SIZE_MAX);
Encoded encode(const StreamState& state);

Result<EpochStarted> parse_epoch_started(const Headers& headers, const Buffer& value);
Result<EpochEnded> parse_epoch_ended(const Headers& headers, const Buffer& value);
Result<Gap> parse_gap(const Headers& headers, const Buffer& value);
Result<IndexEntry> parse_index_entry(const Headers& headers, const Buffer& value);
// The value alone, whose hash nobody asks for: of a record that encode() has made.
Result<IndexEntry> parse_index_entry_value(std::string_view value);
Result<IndexHour> parse_index_hour(const Headers& headers, const Buffer& value);
Result<StreamState> parse_stream_state(const Headers& headers, const Buffer& value);

}  // namespace gopline::record
