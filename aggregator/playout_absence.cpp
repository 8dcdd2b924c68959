#include "aggregator/playout_absence.h"

namespace gopline::aggregator {
namespace {

std::string_view reason_of(const PlayoutGap& gap) {
  if (gap.begin == gap.end) return "the writer says so";
  switch (gap.cause) {
    case AbsenceCause::kOverBudget:
      return "more was waiting than memory was allowed for";
    case AbsenceCause::kCorrupt:
      return "its bytes contradict their hash or length";
    case AbsenceCause::kExpired:
      return "the epoch's opening record is not kept any more, so nobody knows its tracks";
    case AbsenceCause::kElsewhere:
      return "its payload lies outside of the log, and no way to there was given";
    case AbsenceCause::kMissingBlob:
      return "its payload is gone from its store";
    default:
      return "it did not come in time";
  }
}

}  // namespace

Absence absence_of(const PlayoutGap& gap) {
  Absence absence;
  absence.epoch = gap.begin.epoch;
  absence.cause = gap.cause;
  absence.reason = reason_of(gap);
  if (gap.begin.part > 0) absence.reason += "; what came whole before that is there";
  if (gap.begin < gap.end) {
    absence.first_segment = SegmentNumber(gap.begin.segment);
    absence.segments = gap.end.segment - gap.begin.segment + (gap.end.part > 0 ? 1 : 0);
  }
  absence.from = gap.from;
  absence.to = gap.to;
  absence.bytes = gap.bytes;
  return absence;
}

}  // namespace gopline::aggregator
