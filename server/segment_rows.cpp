#include "server/segment_rows.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "common/base/text.h"
#include "common/record/event_type.h"

namespace gopline::server {
namespace {

auto place_of(const SegmentRow& row) {
  return std::tuple(row.epoch, row.segment);
}
bool is_before(const SegmentRow& a, const SegmentRow& b) {
  return place_of(a) < place_of(b);
}

std::optional<std::int64_t> number_in(const Headers& headers, std::string_view name) {
  auto text = find_header(headers, name);
  auto number = text ? parse_int64(*text) : Result<std::int64_t>(-1);
  return number && *number >= 0 ? std::optional(*number) : std::nullopt;
}

// Epochs in the order of their first pictures: footage may have been imported after what it precedes.
std::vector<SegmentRow> by_epochs(std::vector<SegmentRow> rows) {
  struct Run {
    Timestamp time;
    std::size_t begin = 0, end = 0;
  };
  std::vector<Run> runs;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == 0 || rows[i].epoch != rows[i - 1].epoch) runs.push_back({rows[i].time, i, i});
    runs.back().end = i + 1;
  }
  std::stable_sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.time < b.time; });
  std::vector<SegmentRow> out;
  out.reserve(rows.size());
  for (const auto& run : runs) {
    auto first = rows.begin() + static_cast<std::ptrdiff_t>(run.begin);
    out.insert(out.end(), first, rows.begin() + static_cast<std::ptrdiff_t>(run.end));
  }
  return out;
}

}  // namespace

std::optional<SegmentRow> row_from(const StoredRecord& stored) {
  auto type = record::event_type_of(stored.headers);
  if (!type || *type != record::EventType::kIndex) return std::nullopt;
  auto epoch = number_in(stored.headers, "ce_epoch"), segment = number_in(stored.headers, "ce_segment");
  auto ordinal = number_in(stored.headers, "ce_ordinal");
  auto time = parse_rfc3339(find_header(stored.headers, "ce_time").value_or(""));
  auto duration = parse_rational(find_header(stored.headers, "ce_duration").value_or(""));
  if (!epoch || !segment || !ordinal || !time || !duration) return std::nullopt;
  return SegmentRow{stored.offset,
                    EpochNumber(*epoch),
                    SegmentNumber(*segment),
                    Ordinal(*ordinal),
                    *time,
                    microseconds_of(*duration),
                    find_header(stored.headers, "ce_late") == "true"};
}

Duration microseconds_of(Rational duration) {
  constexpr std::int64_t kMost = INT64_MAX / 4;
  return Duration(
      std::clamp<std::int64_t>(rescale(duration.num, {1, duration.den}, {1, 1'000'000}), 0, kMost));
}

bool SegmentRows::add(const SegmentRow& row) {
  std::lock_guard lock(mutex_);
  longest_ = std::max(longest_, row.duration);
  if (rows_.empty() || is_before(rows_.back(), row)) {
    rows_.push_back(row);
    return true;
  }
  auto place = std::lower_bound(rows_.begin(), rows_.end(), row, is_before);
  if (place != rows_.end() && place_of(*place) == place_of(row)) return false;
  rows_.insert(place, row);
  return true;
}

void SegmentRows::add(std::vector<SegmentRow> rows) {
  auto is_same = [](const SegmentRow& a, const SegmentRow& b) { return place_of(a) == place_of(b); };
  std::stable_sort(rows.begin(), rows.end(), is_before);
  std::lock_guard lock(mutex_);
  for (const auto& row : rows) longest_ = std::max(longest_, row.duration);
  if (!rows_.empty()) {  // what was there comes first of two that are the same, and stays
    std::vector<SegmentRow> all;
    all.reserve(rows_.size() + rows.size());
    std::merge(rows_.begin(), rows_.end(), rows.begin(), rows.end(), std::back_inserter(all), is_before);
    rows = std::move(all);
  }
  rows.erase(std::unique(rows.begin(), rows.end(), is_same), rows.end());
  if (rows.capacity() > rows.size() + rows.size() / 8) rows.shrink_to_fit();
  rows_ = std::move(rows);
}

std::vector<SegmentRow> SegmentRows::between(std::optional<Timestamp> from,
                                             std::optional<Timestamp> to) const {
  std::vector<SegmentRow> on_time, late;
  {
    std::lock_guard lock(mutex_);
    for (const auto& row : rows_) {
      if ((from && row.end() <= *from && row.time < *from) || (to && row.time >= *to)) continue;
      (row.late ? late : on_time).push_back(row);
    }
  }
  on_time = by_epochs(std::move(on_time));
  late = by_epochs(std::move(late));
  std::vector<SegmentRow> out;
  out.reserve(on_time.size() + late.size());
  std::merge(on_time.begin(), on_time.end(), late.begin(), late.end(), std::back_inserter(out),
             [](const SegmentRow& a, const SegmentRow& b) { return a.time < b.time; });
  return out;
}

std::vector<SegmentRow> SegmentRows::newest(std::size_t count) const {
  std::vector<SegmentRow> out;
  std::lock_guard lock(mutex_);
  for (auto row = rows_.rbegin(); row != rows_.rend() && out.size() < count; ++row) {
    if (!row->late) out.push_back(*row);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

std::optional<SegmentRow> SegmentRows::find(EpochNumber epoch, SegmentNumber segment) const {
  SegmentRow wanted;
  wanted.epoch = epoch;
  wanted.segment = segment;
  std::lock_guard lock(mutex_);
  auto place = std::lower_bound(rows_.begin(), rows_.end(), wanted, is_before);
  if (place == rows_.end() || place_of(*place) != place_of(wanted)) return std::nullopt;
  return *place;
}

void SegmentRows::forget_before(Offset entry) {
  std::lock_guard lock(mutex_);
  std::erase_if(rows_, [&](const SegmentRow& row) { return row.entry < entry; });
}

std::size_t SegmentRows::size() const {
  std::lock_guard lock(mutex_);
  return rows_.size();
}

Duration SegmentRows::longest() const {
  std::lock_guard lock(mutex_);
  return longest_;
}

}  // namespace gopline::server
