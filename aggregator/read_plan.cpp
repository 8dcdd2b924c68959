#include "aggregator/read_plan.h"

#include <algorithm>
#include <numeric>

#include "aggregator/index_coverage.h"
#include "aggregator/plan_parts.h"
#include "aggregator/record_fetcher.h"
#include "aggregator/survey.h"
#include "common/catalog/history.h"
#include "common/catalog/stream_directory.h"
#include "common/record/event_type.h"
#include "common/record/topics.h"

namespace gopline::aggregator {
namespace {

using record::StreamState;

// How far before `from` the index is asked for the access point that precedes it; then four times as far, and
// so on.
constexpr Duration kFirstLookBack = std::chrono::seconds(10);
constexpr Duration kFarthestLookBack = std::chrono::hours(24 * 30);

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
    fetcher_.emplace(log_, plan_.where, stop_);
    bool planned_by_index = false;
    if (selection_.bounded()) {
      GOPLINE_ASSIGN(planned_by_index, plan_by_index());
    } else if (!log_.reads_headers_alone()) {
      GOPLINE_ASSIGN(planned_by_index, plan_whole_by_index());
    }
    if (!planned_by_index) GOPLINE_TRY(plan_by_headers());
    tell_open_ends();
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
      GOPLINE_ASSIGN(auto headers,
                     survey(log_, {topics_.segments, PartitionId(i)}, selection_.stream, Offset(0), stop_));
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
    Offset from = wants_newest() && index_fits_ ? state_.epoch_offset : Offset(0);
    GOPLINE_ASSIGN(auto found, survey(log_, plan_.where, selection_.stream, from, stop_));
    plan_.duplicates = found.duplicates;
    plan_.foreign_records = found.foreign_records;
    find_latest(found);
    for (auto& [number, epoch] : found.epochs) {
      if (!wanted(number)) continue;
      plan_.epochs.push_back(planned(number, epoch));
      if (!plan_.epochs.back().started) plan_.epochs.back().started = started_from_state(number);
      restrict(plan_.epochs.back(), selection_);
    }
    return {};
  }

  // Whether only the newest epoch that NS.streams knows is asked for, or one that is newer still.
  bool wants_newest() const {
    if (!state_.epoch) return false;
    if (selection_.epochs.kind == EpochSelection::Kind::kOne)
      return selection_.epochs.number >= *state_.epoch;
    return selection_.epochs.kind == EpochSelection::Kind::kLatest;
  }

  void find_latest(const Survey& found) {
    latest_ = state_.epoch;
    for (const auto& [number, epoch] : found.epochs) {
      bool late = (epoch.started && epoch.started->marker.late) ||
                  (!epoch.segments.empty() && epoch.segments.begin()->second.headers.late);
      if (!late && (!latest_ || number > *latest_)) latest_ = number;
    }
  }

  std::optional<record::StartedEpoch> started_from_state(EpochNumber number) const {
    if (state_.epoch != number || !state_.started) return std::nullopt;
    return record::StartedEpoch{number, state_.epoch_offset, *state_.started};
  }

  // False: the index does not know the range.
  Result<bool> plan_by_index() {
    latest_ = state_.epoch;
    if (selection_.epochs.kind == EpochSelection::Kind::kLatest && !latest_) return false;
    std::optional<Survey> unindexed;
    for (Duration look_back{0};;) {
      GOPLINE_ASSIGN(auto entries, ask_index(look_back));
      if (entries.empty()) return false;
      plan_.epochs.clear();
      GOPLINE_TRY(take_entries(entries));
      if (!index_fits_) return false;
      if (!unindexed) {
        GOPLINE_ASSIGN(unindexed, survey_unindexed());
      }
      GOPLINE_TRY(add_unnumbered(entries));
      add(*unindexed);
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
    GOPLINE_ASSIGN(auto stored, fetcher_->fetch(offset));
    if (stored && !stored->damage) {
      auto type = record::event_type_of(stored->headers);
      // In a copied log records lie elsewhere than the index says.
      if (stored->key != selection_.stream || !type || *type != record::EventType::kEpochStarted) {
        index_fits_ = false;
        return {};
      }
      auto marker = record::parse_epoch_started(stored->headers, stored->value.value_or(Buffer()));
      if (marker && EpochNumber(marker->epoch_base + offset.value) != epoch.number) index_fits_ = false;
      if (marker) epoch.started = record::StartedEpoch{epoch.number, offset, std::move(*marker)};
    }
    if (!epoch.started) epoch.started = started_from_state(epoch.number);
    return {};
  }

  // What was written after the writer last brought the index up to date.
  Result<Survey> survey_unindexed() {
    // The newest epoch has ended, and one that is older was accounted for when it began: what lies behind its
    // end are records of other streams, which some logs cannot pass over without their values.
    bool ends = state_.epoch && state_.ended && !log_.reads_headers_alone();
    IndexCoverage coverage =
        ends ? IndexCoverage(IndexCoverage::Scope::kKnownEpochs) : IndexCoverage(state_.position);
    if (ends) coverage.add(*state_.epoch, Offset(0), state_.position);
    return survey(log_, plan_.where, selection_.stream, std::move(coverage), stop_);
  }

  // What lies where a number is missing: parts of a segment that stayed unfinished, which has no entry.
  Result<void> add_unnumbered(const std::vector<record::IndexEntry>& entries) {
    IndexCoverage coverage(IndexCoverage::Scope::kKnownEpochs);
    bool has_hole = false;
    for (std::size_t i = 1; i < entries.size(); ++i) {
      const auto &before = entries[i - 1], &entry = entries[i];
      if (before.epoch != entry.epoch || before.segment.next() == entry.segment) continue;
      if (before.offsets.empty() || entry.offsets.empty()) continue;
      coverage.add_hole(std::ranges::max(before.offsets).next(), std::ranges::min(entry.offsets));
      has_hole = true;
    }
    if (!has_hole) return {};
    GOPLINE_ASSIGN(auto found, survey(log_, plan_.where, selection_.stream, std::move(coverage), stop_));
    add(std::move(found));
    return {};
  }

  void add(Survey found) {
    plan_.duplicates = found.duplicates;
    plan_.foreign_records = found.foreign_records;
    for (auto& [number, surveyed] : found.epochs) {
      if (!wanted(number)) continue;
      auto same = std::ranges::find(plan_.epochs, number, &PlannedEpoch::number);
      if (same == plan_.epochs.end()) {
        plan_.epochs.push_back(planned(number, surveyed));
        if (!plan_.epochs.back().started) plan_.epochs.back().started = started_from_state(number);
        continue;
      }
      if (surveyed.ended) same->ended = surveyed.ended;
      if (!same->started && surveyed.started) same->started = std::move(surveyed.started);
      for (const auto& [segment, chunks] : surveyed.segments)
        same->segments.try_emplace(segment, planned(chunks));
      place_gaps(*same, surveyed.gaps);
    }
  }

  // Whole epochs without reading on a way that brings every value along: the index tells of segments and of
  // the gaps before them; the rest, with every epoch.ended, is surveyed where it can lie (IndexCoverage).
  // False: the index cannot tell.
  Result<bool> plan_whole_by_index() {
    auto index = log_.describe_topic(topics_.index);
    if (!index && index.error().code != ErrorCode::kNotFound) return tl::unexpected<Error>(index.error());
    if (!index || !state_.epoch) return false;
    latest_ = state_.epoch;
    bool all = selection_.epochs.kind == EpochSelection::Kind::kAll;
    GOPLINE_ASSIGN(auto entries, ask_index(Duration(0)));
    std::erase_if(entries, [&](const auto& entry) {  // retention has taken them
      return entry.offsets.empty() || std::ranges::max(entry.offsets) < plan_.kept.begin;
    });
    if (entries.empty() && !wants_newest()) return false;
    GOPLINE_TRY(take_entries(entries));
    if (!index_fits_) return false;
    GOPLINE_ASSIGN(auto found,
                   survey(log_, plan_.where, selection_.stream, coverage_of(entries, all), stop_));
    find_latest(found);
    std::erase_if(plan_.epochs, [&](const auto& epoch) { return !wanted(epoch.number); });
    add(std::move(found));
    std::ranges::sort(plan_.epochs, {}, &PlannedEpoch::number);
    for (auto& epoch : plan_.epochs) restrict(epoch, selection_);
    return true;
  }

  IndexCoverage coverage_of(const std::vector<record::IndexEntry>& entries, bool all) const {
    IndexCoverage coverage(all ? IndexCoverage::Scope::kEverything : IndexCoverage::Scope::kKnownEpochs);
    // An epoch that is asked for alone is all there is to know of: nothing before it is wanted.
    auto begin_of = [&](Offset offset) { return all ? offset : Offset(0); };
    for (auto entry = entries.begin(); entry != entries.end();) {
      auto number = entry->epoch;
      auto end = std::max(entry->epoch_offset.next(), plan_.kept.begin);
      std::int64_t expected = 0;
      auto begin = entry->epoch_offset;
      for (; entry != entries.end() && entry->epoch == number; ++entry) {
        if (entry->segment.value != expected) coverage.add_hole(end, std::ranges::min(entry->offsets));
        expected = entry->segment.value + 1;
        end = std::max(end, std::ranges::max(entry->offsets).next());
      }
      coverage.add(number, begin_of(begin), end);
    }
    bool known = std::ranges::any_of(entries, [&](const auto& e) { return e.epoch == *state_.epoch; });
    if (!all && wants_newest() && !known) {
      coverage.add(*state_.epoch, Offset(0), state_.epoch_offset);
    }
    // Nothing says that the newest epoch is over: perhaps there is a newer one.
    if (wants_newest() && !state_.ended) coverage.add_hole(state_.position, Offset(INT64_MAX));
    return coverage;
  }

  void tell_open_ends() {
    auto newest = latest_;
    for (const auto& epoch : plan_.epochs) {
      bool is_late = epoch.started && epoch.started->marker.late;
      if (!is_late && (!newest || epoch.number > *newest)) newest = epoch.number;
    }
    for (auto& epoch : plan_.epochs) {
      bool has_ended = epoch.ended || (state_.ended && state_.epoch == epoch.number);
      epoch.may_go_on = epoch.number == newest && !has_ended && epoch.to_its_end;
    }
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
  bool index_fits_ = true;  // its offsets are those of this log
  std::optional<RecordFetcher> fetcher_;
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
