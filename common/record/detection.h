#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/rational.h"
#include "common/base/result.h"
#include "common/base/strong_int.h"
#include "common/bytes/buffer.h"
#include "common/record/markers.h"
#include "common/record/segment_headers.h"

// What analyzers find, in NS.events: docs/record-format.md, "Events".
namespace gopline::record {

// An event is told as it begins, as it goes on, and as it ends.
enum class EventPhase { kStart, kUpdate, kEnd };
std::string_view to_string(EventPhase phase);  // "start", "update", "end"
std::optional<EventPhase> event_phase_from(std::string_view text);

// Part of a picture, as fractions of its width and height, from the upper left corner.
struct PictureBox {
  double x = 0, y = 0, width = 0, height = 0;
  bool operator==(const PictureBox&) const = default;
};

// Who found it: the same words for the same stream find the same.
struct AnalyzerIdentity {
  std::string name;           // "motion"
  std::string version;        // of the analyzer; one that finds something else has another
  std::string configuration;  // XXH3 of its options, with what they are by default
  bool operator==(const AnalyzerIdentity&) const = default;
};

struct Thumbnail {
  std::string content_type;         // "image/jpeg"
  Buffer data;                      // empty where it lies elsewhere
  std::optional<DataRef> ref = {};  // a claim check, as a segment's
};

// What a reference table says of what an event is about.
struct Enrichment {
  std::string table, version;  // its name; which of its versions
  std::string by, key;  // what it was asked for: "stream", "zone", "stream|zone", ...; and the row's key
  std::string data;     // the text of a JSON object
  bool operator==(const Enrichment&) const = default;
};

// One record of an event. `event` names the event, and with the stream it is unique for ever; `number` counts
// its records from 0, which is its start.
struct Detection {
  std::string stream;
  std::string event;
  std::int64_t number = 0;
  EventPhase phase = EventPhase::kStart;
  // The picture that this record is about, which it thereby finds.
  EpochNumber epoch;
  SegmentNumber segment;
  std::int64_t frame = 0;  // in the segment: among the packets of its track, in decode order
  Rational pts;            // ticks/timescale, as the source has them
  Timestamp time;          // capture time
  Timestamp started;       // capture time of the event's start
  std::string class_name;  // "motion", "person"
  std::optional<double> score;
  std::optional<PictureBox> box;
  std::string zone;   // empty: none
  std::string track;  // empty: none
  AnalyzerIdentity analyzer;
  std::optional<Thumbnail> thumbnail;
  std::string details;  // what else the analyzer says: the text of a JSON object; empty: nothing
  std::vector<std::string>
      incomplete;  // analyzers that were asked about the picture and did not answer in time
  std::vector<Enrichment> enrichments;
};

Encoded encode(const Detection& detection);
// Verifies `ce_xxh3`; kCorrupt with the member's name, kUnsupported for another major version.
Result<Detection> parse_detection(const Headers& headers, const Buffer& value);

// A segment that an analyzer could not be made to take, in NS.dead.
struct DeadLetter {
  std::string stream;
  EpochNumber epoch;
  SegmentNumber segment;
  PartitionId partition;  // of NS.segments, and where in it the segment begins
  Offset offset;
  Timestamp time;  // of the writer's clock
  AnalyzerIdentity analyzer;
  std::string group;
  std::string reason;
  std::int64_t attempts = 0;
};

Encoded encode(const DeadLetter& letter);
Result<DeadLetter> parse_dead_letter(const Headers& headers, const Buffer& value);

}  // namespace gopline::record
