#include "aggregator/plan_parts.h"

#include <algorithm>
#include <set>

namespace gopline::aggregator {
namespace {

Timestamp later_by(Timestamp time, const Rational& duration) {
  return time + Duration(rescale(duration.num, {1, duration.den}, {1, 1'000'000}));
}

}  // namespace

PlannedSegment planned(const SurveyedSegment& surveyed) {
  const auto& headers = surveyed.headers;
  PlannedSegment segment;
  segment.chunks = surveyed.chunks;
  segment.bytes = headers.size.value_or(0);
  segment.time = headers.time;
  segment.end = headers.duration ? later_by(headers.time, *headers.duration) : headers.time;
  segment.sap = headers.sap;
  segment.late = headers.late;
  segment.unfinished = !headers.last_chunk;
  if (headers.dataref && headers.size == headers.dataref->size) segment.dataref = headers.dataref->uri;
  return segment;
}

PlannedSegment planned(const record::IndexEntry& entry) {
  PlannedSegment segment;
  for (std::size_t i = 0; i < entry.offsets.size(); ++i)
    segment.chunks[static_cast<std::int64_t>(i)] = entry.offsets[i];
  segment.bytes = entry.size;
  segment.time = entry.time;
  segment.end = entry.end_time();
  segment.sap = entry.sap;
  segment.late = entry.late;
  segment.dataref = entry.dataref;
  if (entry.gap) segment.gaps_before.push_back(*entry.gap);
  return segment;
}

void place_gaps(PlannedEpoch& epoch, const std::vector<std::pair<Offset, record::Gap>>& gaps) {
  std::set<std::int64_t> told;  // the index has told of these already
  for (const auto& [number, segment] : epoch.segments) {
    if (!segment.gaps_before.empty()) told.insert(number);
  }
  for (const auto& [offset, gap] : gaps) {
    auto next = std::ranges::find_if(epoch.segments, [at = offset](const auto& entry) {
      return std::ranges::all_of(entry.second.chunks, [at](const auto& chunk) { return chunk.second > at; });
    });
    if (next == epoch.segments.end()) {
      epoch.gaps_at_end.push_back(gap.facts);
    } else if (!told.contains(next->first)) {
      next->second.gaps_before.push_back(gap.facts);
    }
  }
}

PlannedEpoch planned(EpochNumber number, SurveyedEpoch& surveyed) {
  PlannedEpoch epoch;
  epoch.number = number;
  epoch.started = std::move(surveyed.started);
  epoch.ended = std::move(surveyed.ended);
  for (const auto& [segment, found] : surveyed.segments) epoch.segments[segment] = planned(found);
  place_gaps(epoch, surveyed.gaps);
  return epoch;
}

namespace {

bool begins_before(const PlannedSegment& segment, const StreamPoint& to) {
  if (const auto* time = std::get_if<Timestamp>(&to)) return segment.time < *time;
  auto at = std::get<Offset>(to);
  return std::ranges::any_of(segment.chunks, [at](const auto& chunk) { return chunk.second < at; });
}

bool ends_after(const PlannedSegment& segment, const StreamPoint& from) {
  bool may_reach_it = segment.unfinished && segment.end == segment.time;  // the last of its epoch
  if (const auto* time = std::get_if<Timestamp>(&from))
    return segment.end > *time || segment.time >= *time || may_reach_it;
  auto at = std::get<Offset>(from);
  return std::ranges::any_of(segment.chunks, [at](const auto& chunk) { return chunk.second >= at; });
}

bool reaches(const PlannedSegment& segment, const StreamPoint& to) {
  const auto* time = std::get_if<Timestamp>(&to);
  return time && segment.end >= *time;
}

// A segment without a last chunk does not say when it ends: before the next one begins.
void end_the_unfinished(std::map<std::int64_t, PlannedSegment>& segments) {
  for (auto segment = segments.begin(); segment != segments.end(); ++segment) {
    auto next = std::next(segment);
    if (segment->second.unfinished && next != segments.end())
      segment->second.end = std::max(segment->second.time, next->second.time);
  }
}

}  // namespace

bool restrict(PlannedEpoch& epoch, const Selection& selection) {
  auto& segments = epoch.segments;
  end_the_unfinished(segments);
  auto last = std::ranges::find_if(
      segments, [&](const auto& s) { return selection.to && !begins_before(s.second, *selection.to); });
  // The index is asked for the range alone, so what follows may be unknown here: a segment that reaches `to`
  // ends it as well.
  bool reaches_to = !segments.empty() && selection.to && reaches(segments.rbegin()->second, *selection.to);
  if (last != segments.end() || reaches_to) epoch.to_its_end = false;
  segments.erase(last, segments.end());
  auto first = std::ranges::find_if(
      segments, [&](const auto& s) { return !selection.from || ends_after(s.second, *selection.from); });
  bool complete = true;
  if (first != segments.end() && selection.from) {
    while (first != segments.begin() && first->second.sap == 0) --first;
    complete = first->second.sap != 0 || first->first == 0;
  }
  segments.erase(segments.begin(), first);
  epoch.from_its_start = !selection.from || (!segments.empty() && segments.begin()->first == 0);
  if (!epoch.to_its_end) epoch.gaps_at_end.clear();
  return complete;
}

}  // namespace gopline::aggregator
