#include "aggregator/stream_item.h"

namespace gopline::aggregator {

std::string_view to_string(AbsenceCause cause) {
  switch (cause) {
    case AbsenceCause::kSourceOutage:
      return "source-outage";
    case AbsenceCause::kOverBudget:
      return "over-budget";
    case AbsenceCause::kLost:
      return "lost";
    case AbsenceCause::kCorrupt:
      return "corrupt";
    case AbsenceCause::kClock:
      return "clock";
    case AbsenceCause::kExpired:
      return "expired";
    case AbsenceCause::kElsewhere:
      return "elsewhere";
    case AbsenceCause::kMissingBlob:
      return "missing-blob";
  }
  return "lost";
}

AbsenceCause absence_cause_from(record::GapCause cause) {
  switch (cause) {
    case record::GapCause::kSourceOutage:
      return AbsenceCause::kSourceOutage;
    case record::GapCause::kOverBudget:
      return AbsenceCause::kOverBudget;
    case record::GapCause::kLost:
      return AbsenceCause::kLost;
    case record::GapCause::kCorrupt:
      return AbsenceCause::kCorrupt;
    case record::GapCause::kClock:
      return AbsenceCause::kClock;
  }
  return AbsenceCause::kLost;
}

}  // namespace gopline::aggregator
