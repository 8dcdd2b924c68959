#include "aggregator/read_plan.h"

#include <algorithm>
#include <numeric>

#include "aggregator/record_fetcher.h"
#include "aggregator/survey.h"
#include "common/catalog/history.h"
#include "common/catalog/stream_directory.h"
#include "common/record/topics.h"

namespace gopline::aggregator {
namespace {

using record::StreamState;

// How far before `from` the index is asked for the access point that precedes it; then four times as far, and
// so on.
constexpr Duration kFirstLookBack = std::chrono::seconds(10);
constexpr Duration kFarthestLookBack = std::chrono::hours(24 * 30);

Timestamp later_by(Timestamp time, const Rational& duration) {
  return time + Duration(rescale(duration.num, {1, duration.den}, {1, 1'000'000}));
}

PlannedSegment planned(const SurveyedSegment& surveyed) {
  const auto& headers = surveyed.headers;
  PlannedSegment segment;
  segment.chunks = surveyed.chunks;
  segment.bytes = headers.size.value_or(0);
  segment.time = headers.time;
  segment.end = headers.duration ? later_by(headers.time, *headers.duration) : headers.time;
  segment.sap = headers.sap;
  segment.late = headers.late;
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
  if (entry.gap) segment.gaps_before.push_back(*entry.gap);
  return segment;
}

// A gap precedes the first segment of its epoch that was written after it.
void place_gaps(PlannedEpoch& epoch, const std::vector<std::pair<Offset, record::Gap>>& gaps) {
  for (const auto& [offset, gap] : gaps) {
    auto next = std::ranges::find_if(epoch.segments, [at = offset](const auto& entry) {
      return std::ranges::all_of(entry.second.chunks, [at](const auto& chunk) { return chunk.second > at; });
    });
    (next != epoch.segments.end() ? next->second.gaps_before : epoch.gaps_at_end).push_back(gap.facts);
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

bool begins_before(const PlannedSegment& segment, const StreamPoint& to) {
  if (const auto* time = std::get_if<Timestamp>(&to)) return segment.time < *time;
  auto at = std::get<Offset>(to);
  return std::ranges::any_of(segment.chunks, [at](const auto& chunk) { return chunk.second < at; });
}

bool ends_after(const PlannedSegment& segment, const StreamPoint& from) {
  if (const auto* time = std::get_if<Timestamp>(&from)) return segment.end > *time || segment.time >= *time;
  auto at = std::get<Offset>(from);
  return std::ranges::any_of(segment.chunks, [at](const auto& chunk) { return chunk.second >= at; });
}

bool reaches(const PlannedSegment& segment, const StreamPoint& to) {
  const auto* time = std::get_if<Timestamp>(&to);
  return time && segment.end >= *time;
}

// Keeps what the range asks for: from the last access point at or before `from`. False: the access point lies
// before what the plan knows.
bool restrict(PlannedEpoch& epoch, const Selection& selection) {
  auto& segments = epoch.segments;
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

class Planner {
 public:
  Planner(Log& log, const Selection& selection, StopToken stop)
      : log_(log),
        selection_(selection),
        stop_(std::move(stop)),
        topics_(record::topics_of(selection.topic_namespace)) {}

  Result<ReadPlan> run() {
    GOPLINE_TRY(find_stream());
    plan_.where = {topics_.segments, state_.partition};
    GOPLINE_ASSIGN(plan_.kept, log_.offsets(plan_.where));
    bool planned_by_index = false;
    if (selection_.bounded()) {
      GOPLINE_ASSIGN(planned_by_index, plan_by_index());
    }
    if (!planned_by_index) GOPLINE_TRY(plan_by_headers());
    arrange();
    return check();
  }

 private:
  Result<void> find_stream() {
    auto directory = catalog::StreamDirectory::read(log_, topics_);
    if (!directory) return tl::unexpected<Error>(directory.error());
    auto found = directory->find(selection_.stream);
    if (found) {
      state_ = std::move(*found);
      return {};
    }
    // NS.streams does not know it, or is gone: the records themselves may.
    state_.stream = selection_.stream;
    auto topic = log_.describe_topic(topics_.segments);
    for (std::int32_t i = 0; topic && i < topic->partitions; ++i) {
      GOPLINE_ASSIGN(auto headers, survey(log_, {topics_.segments, PartitionId(i)}, selection_.stream,
                                          Offset(0), {}, stop_));
      if (headers.epochs.empty()) continue;
      state_.partition = PartitionId(i);
      return {};
    }
    return tl::unexpected<Error>(found.error());
  }

  bool wanted(EpochNumber number) const {
    if (selection_.epochs.kind == EpochSelection::Kind::kOne) return number == selection_.epochs.number;
    return selection_.epochs.kind == EpochSelection::Kind::kAll || !latest_ || number == *latest_;
  }

  Result<void> plan_by_headers() {
    plan_.epochs.clear();
    // An epoch begins with its epoch.started: nothing of it lies before.
    Offset from = selection_.epochs.kind == EpochSelection::Kind::kLatest && state_.epoch
                      ? state_.epoch_offset
                      : Offset(0);
    GOPLINE_ASSIGN(auto found, survey(log_, plan_.where, selection_.stream, from, {}, stop_));
    plan_.duplicates = found.duplicates;
    plan_.foreign_records = found.foreign_records;
    latest_ = state_.epoch;
    for (const auto& [number, epoch] : found.epochs) {
      bool late = (epoch.started && epoch.started->marker.late) ||
                  (!epoch.segments.empty() && epoch.segments.begin()->second.headers.late);
      if (!late && (!latest_ || number > *latest_)) latest_ = number;
    }
    for (auto& [number, epoch] : found.epochs) {
      if (!wanted(number)) continue;
      plan_.epochs.push_back(planned(number, epoch));
      if (!plan_.epochs.back().started) plan_.epochs.back().started = started_from_state(number);
      restrict(plan_.epochs.back(), selection_);
    }
    return {};
  }

  std::optional<record::StartedEpoch> started_from_state(EpochNumber number) const {
    if (state_.epoch != number || !state_.started) return std::nullopt;
    return record::StartedEpoch{number, state_.epoch_offset, *state_.started};
  }

  // False: the index does not know the range.
  Result<bool> plan_by_index() {
    latest_ = state_.epoch;
    if (selection_.epochs.kind == EpochSelection::Kind::kLatest && !latest_) return false;
    for (Duration look_back{0};;) {
      GOPLINE_ASSIGN(auto entries, ask_index(look_back));
      if (entries.empty()) return false;
      plan_.epochs.clear();
      GOPLINE_TRY(take_entries(entries));
      GOPLINE_TRY(add_unindexed());
      bool complete = true;
      for (auto& epoch : plan_.epochs) complete = restrict(epoch, selection_) && complete;
      if (complete) break;
      if (look_back >= kFarthestLookBack || !selection_.from ||
          !std::holds_alternative<Timestamp>(*selection_.from))
        return false;
      look_back = look_back == Duration(0) ? kFirstLookBack : look_back * 4;
    }
    return std::ranges::any_of(plan_.epochs, [](const auto& epoch) { return !epoch.segments.empty(); });
  }

  Result<std::vector<record::IndexEntry>> ask_index(Duration look_back) {
    catalog::SegmentQuery query;
    if (selection_.epochs.kind == EpochSelection::Kind::kOne) query.epoch = selection_.epochs.number;
    if (selection_.epochs.kind == EpochSelection::Kind::kLatest) query.epoch = latest_;
    if (const auto* from = selection_.from ? std::get_if<Timestamp>(&*selection_.from) : nullptr)
      query.from = *from - look_back;
    if (const auto* to = selection_.to ? std::get_if<Timestamp>(&*selection_.to) : nullptr) query.to = *to;
    return catalog::find_segments(log_, topics_, state_, query);
  }

  Result<void> take_entries(const std::vector<record::IndexEntry>& entries) {
    for (const auto& entry : entries) {
      if (plan_.epochs.empty() || plan_.epochs.back().number != entry.epoch) {
        plan_.epochs.push_back({});
        auto& epoch = plan_.epochs.back();
        epoch.number = entry.epoch;
        GOPLINE_TRY(find_started(epoch, entry.epoch_offset));
      }
      plan_.epochs.back().segments[entry.segment.value] = planned(entry);
    }
    return {};
  }

  Result<void> find_started(PlannedEpoch& epoch, Offset offset) {
    RecordFetcher fetcher(log_, plan_.where, stop_);
    GOPLINE_ASSIGN(auto stored, fetcher.fetch(offset));
    if (stored && stored->value && stored->key == selection_.stream) {
      auto marker = record::parse_epoch_started(stored->headers, *stored->value);
      if (marker) epoch.started = record::StartedEpoch{epoch.number, offset, std::move(*marker)};
    }
    if (!epoch.started) epoch.started = started_from_state(epoch.number);
    return {};
  }

  // What was written after the writer last brought the index up to date.
  Result<void> add_unindexed() {
    GOPLINE_ASSIGN(auto found, survey(log_, plan_.where, selection_.stream, state_.position, {}, stop_));
    for (auto& [number, surveyed] : found.epochs) {
      if (!wanted(number)) continue;
      auto same = std::ranges::find(plan_.epochs, number, &PlannedEpoch::number);
      if (same == plan_.epochs.end()) {
        plan_.epochs.push_back(planned(number, surveyed));
        if (!plan_.epochs.back().started) plan_.epochs.back().started = started_from_state(number);
        continue;
      }
      if (surveyed.ended) same->ended = surveyed.ended;
      for (const auto& [segment, chunks] : surveyed.segments)
        same->segments.try_emplace(segment, planned(chunks));
      place_gaps(*same, surveyed.gaps);
    }
    return {};
  }

  // Late epochs go where their capture time puts them.
  void arrange() {
    std::erase_if(plan_.epochs,
                  [&](const auto& epoch) { return epoch.segments.empty() && selection_.bounded(); });
    auto is_late = [](const PlannedEpoch& epoch) {
      return (epoch.started && epoch.started->marker.late) ||
             (!epoch.segments.empty() && epoch.segments.begin()->second.late);
    };
    auto first_late = std::stable_partition(plan_.epochs.begin(), plan_.epochs.end(),
                                            [&](const auto& e) { return !is_late(e); });
    std::vector<PlannedEpoch> late(std::make_move_iterator(first_late),
                                   std::make_move_iterator(plan_.epochs.end()));
    plan_.epochs.erase(first_late, plan_.epochs.end());
    for (auto& epoch : late) {
      auto time = epoch.segments.empty() ? Timestamp::max() : epoch.segments.begin()->second.time;
      auto place = std::ranges::find_if(plan_.epochs, [&](const auto& other) {
        return !other.segments.empty() && other.segments.begin()->second.time > time;
      });
      plan_.epochs.insert(place, std::move(epoch));
    }
  }

  Result<ReadPlan> check() {
    if (plan_.epochs.empty()) {
      if (selection_.epochs.kind == EpochSelection::Kind::kOne) {
        return fail(ErrorCode::kNotFound, "{}: there is no {}epoch {}; `gopline inspect {}` lists them",
                    selection_.stream, selection_.bounded() ? "footage of that time in " : "",
                    selection_.epochs.number, selection_.stream);
      }
      return fail(ErrorCode::kNotFound, "{}: no footage {}; `gopline inspect {}` shows what there is",
                  selection_.stream, selection_.bounded() ? "in that range" : "yet", selection_.stream);
    }
    return std::move(plan_);
  }

  Log& log_;
  const Selection& selection_;
  StopToken stop_;
  record::Topics topics_;
  StreamState state_;
  std::optional<EpochNumber> latest_;
  ReadPlan plan_;
};

}  // namespace

std::int64_t ReadPlan::segments() const {
  return std::accumulate(epochs.begin(), epochs.end(), std::int64_t{0},
                         [](std::int64_t sum, const PlannedEpoch& epoch) {
                           return sum + static_cast<std::int64_t>(epoch.segments.size());
                         });
}

std::uint64_t ReadPlan::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& epoch : epochs) {
    for (const auto& [number, segment] : epoch.segments) sum += segment.bytes;
  }
  return sum;
}

Result<ReadPlan> make_plan(Log& log, const Selection& selection, StopToken stop) {
  return Planner(log, selection, std::move(stop)).run();
}

}  // namespace gopline::aggregator
