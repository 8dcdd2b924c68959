#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include "aggregator/stream_item.h"
#include "common/base/clock.h"
#include "common/base/strong_int.h"

namespace gopline::aggregator {

// Where a piece stands in its stream.
struct Position {
  EpochNumber epoch;
  std::int64_t segment = 0;
  std::int64_t part = 0;  // of the segment, from 0 without holes
  auto operator<=>(const Position&) const = default;
};

// What arrives and is played as one: a segment, or a part of one that is still being written.
struct Piece {
  Position at;
  bool last = true;                // of its segment
  int sap = 0;                     // stream access point type with which it begins, as ce_sap
  std::int64_t discontinuity = 0;  // as ce_discontinuities: where it changes, so does the relation of media
                                   // time to time
  Duration start{}, duration{};    // on the epoch's timeline, main track; an unknown duration is 0
  Timestamp time;                  // capture time of its start
  SteadyTime arrival{};            // as it was pushed
  std::size_t bytes = 0;           // of memory that it keeps alive
  SegmentData data = {};           // carried, not looked at

  Position next() const {
    return last ? Position{at.epoch, at.segment + 1, 0} : Position{at.epoch, at.segment, at.part + 1};
  }
  bool is_access_point() const { return sap > 0; }
};

// The output goes over to an epoch; its pieces follow.
struct EpochJoin {
  std::optional<EpochNumber> from;  // nullopt: the output begins
  EpochNumber to;
  bool from_its_start = true;    // false: somewhere in the middle
  bool from_ended = false;       // else `from` may have had more than was put out or stated
  std::int64_t passed_over = 0;  // epochs between the two, of which nothing is put out
};

// Nothing comes for [begin, end): what was missing, and what had arrived and cannot be played without it.
// begin == end: the writer's word that footage was never written.
struct PlayoutGap {
  Position begin, end;
  AbsenceCause cause = AbsenceCause::kLost;
  bool continues = false;             // the gap before: nothing was put out between them
  std::int64_t unplayable = 0;        // pieces that had arrived
  std::optional<Timestamp> from, to;  // capture time, as far as it is known
  std::uint64_t bytes = 0;            // 0: unknown
};

struct PlayoutPiece {
  Piece piece;
  bool resumes = false;  // the first after a gap, or in the middle of an epoch; an access point
  // Of the open GOP at which the output resumed: pictures shown before its access point refer to what is not
  // there, and are to be left out.
  bool drop_leading = false;
};

using PlayoutItem = std::variant<EpochJoin, PlayoutGap, PlayoutPiece>;

}  // namespace gopline::aggregator
