#pragma once
#include <utility>
#include <vector>

#include "aggregator/read_plan.h"
#include "aggregator/selection.h"
#include "aggregator/survey.h"
#include "common/record/markers.h"

// What plans are made of, by headers as by the index. Internal to make_plan().
namespace gopline::aggregator {

PlannedSegment planned(const SurveyedSegment& surveyed);
PlannedSegment planned(const record::IndexEntry& entry);
PlannedEpoch planned(EpochNumber number, SurveyedEpoch& surveyed);

// A gap precedes the first segment of its epoch that was written after it. What stands before a segment
// already was told by the index, and is not told twice.
void place_gaps(PlannedEpoch& epoch, const std::vector<std::pair<Offset, record::Gap>>& gaps);

// Keeps what the range asks for: from the last access point at or before `from`. False: the access point lies
// before what the plan knows.
bool restrict(PlannedEpoch& epoch, const Selection& selection);

}  // namespace gopline::aggregator
