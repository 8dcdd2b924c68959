#include "server/rolled_index.h"

#include <algorithm>
#include <iterator>

#include "common/base/logging.h"
#include "common/base/text.h"
#include "common/record/event_type.h"
#include "common/record/hour_columns.h"

namespace gopline::server {
namespace {

constexpr Duration kHour = std::chrono::hours(1);
constexpr Duration kEdge =
    std::chrono::minutes(1);  // the segment that is open at the full hour, and one more
constexpr Duration kLongest = std::chrono::hours(24 * 366 * 100);  // beyond it a clock was wrong
constexpr std::int64_t kWorthwhile = 256;       // records an hour: fewer are read in the time that edges take
constexpr std::int64_t kMostInEdge = 20'000;    // records: more in a minute are no camera's
constexpr std::int64_t kMostCounted = 1 << 30;  // entries in a roll-up
constexpr std::size_t kStretchBytes = 4 << 20;  // a week is read in pieces of this, not held at once
constexpr std::size_t kEdgeBytes = 64 << 10;

Timestamp full_hour_from(Timestamp time) {
  return std::chrono::ceil<std::chrono::hours>(time);
}

catalog::ScanOptions options_of(bool headers_only, std::size_t poll_bytes, StopToken stop = {}) {
  catalog::ScanOptions options;
  options.headers_only = headers_only;
  options.max_poll_bytes = poll_bytes;
  options.stop = std::move(stop);
  return options;
}

}  // namespace

RolledIndex::RolledIndex(Log& log, TopicPartition where) : log_(log), where_(std::move(where)) {}

// ---- edges

void RolledIndex::note(Edge& edge, const StoredRecord& stored) {
  if (auto row = row_from(stored)) {
    auto& stream = edge.streams[stored.key];
    stream.rows.push_back(*row);
    auto& marks = stream.epochs[row->epoch];
    ++(marks.first ? marks.after : marks.before);
    return;
  }
  auto type = record::event_type_of(stored.headers);
  auto epoch = parse_int64(find_header(stored.headers, "ce_epoch").value_or(""));
  auto counted = parse_int64(find_header(stored.headers, "ce_segments").value_or(""));
  bool is_roll_up = !stored.damage && type && *type == record::EventType::kIndexHour && epoch && counted &&
                    *counted >= 0 && *counted <= kMostCounted;
  if (!is_roll_up) {
    edge.is_known = false;
    return;
  }
  auto& marks = edge.streams[stored.key].epochs[EpochNumber(*epoch)];
  if (!marks.first) {
    marks.first = stored.offset;
    marks.counted = *counted;
  }
  marks.last = stored.offset;
  marks.after = 0;
}

bool RolledIndex::accounts_for_all_between(const Edge& a, const Edge& b) {
  if (!a.is_known || !b.is_known) return false;
  std::int64_t told = 0;
  for (const auto& [name, stream] : b.streams) {
    auto before = a.streams.find(name);
    if (before == a.streams.end()) continue;
    for (const auto& [epoch, marks] : stream.epochs) {
      auto last = before->second.epochs.find(epoch);
      if (!marks.first || last == before->second.epochs.end() || !last->second.last) continue;
      auto between = marks.counted - last->second.after - marks.before;
      if (between < 0) return false;
      told += between;
    }
  }
  return told == b.begin.value - a.end.value;
}

Result<std::optional<Timestamp>> RolledIndex::time_of(Offset offset) {
  std::optional<Timestamp> time;
  GOPLINE_TRY(readers_->headers.scan(offset, offset.next(), [&](const StoredRecord& stored) {
    time = stored.timestamp;
    return false;
  }));
  return time;
}

Result<Offset> RolledIndex::first_at(Timestamp time) {
  auto& reader = readers_->times;
  if (!reader) {
    GOPLINE_ASSIGN(reader, log_.make_reader({}));
    GOPLINE_TRY(reader->assign({{where_, StartPosition::at(time)}}));
  } else {
    GOPLINE_TRY(reader->seek(where_, StartPosition::at(time)));
  }
  return reader->position(where_);
}

// nullopt: it is not over before `to`.
Result<std::optional<RolledIndex::Edge>> RolledIndex::read_edge(Timestamp hour, Offset to) {
  Edge edge;
  GOPLINE_ASSIGN(edge.begin, first_at(hour));
  edge.end = edge.begin;
  edge.is_known = true;
  if (edge.begin >= to) return std::nullopt;
  bool is_over = false;
  GOPLINE_TRY(readers_->headers.scan(edge.begin, to, [&](const StoredRecord& stored) {
    is_over = stored.timestamp >= hour + kEdge;
    if (is_over) return false;
    if (stored.offset != edge.end) edge.is_known = false;  // a hole
    note(edge, stored);
    edge.end = stored.offset.next();
    if (edge.end.value - edge.begin.value <= kMostInEdge) return true;
    is_over = true;
    edge.is_known = false;
    return false;
  }));
  if (!is_over) return std::nullopt;
  if (!edge.is_known) {  // all of it is read with what lies around it
    edge.streams.clear();
    edge.end = edge.begin;
  }
  return edge;
}

// Those that lie in [from, to), one behind the other. None where there is little to pass over.
Result<std::vector<const RolledIndex::Edge*>> RolledIndex::edges(Offset from, Offset to,
                                                                 const StopToken& stop) {
  std::vector<const Edge*> found;
  if (to.value - from.value < kWorthwhile) return found;
  GOPLINE_ASSIGN(auto first, time_of(from));
  GOPLINE_ASSIGN(auto last, time_of(Offset(to.value - 1)));
  if (!first || !last || *first < Timestamp() || *last <= *first || *last > Timestamp(kLongest)) return found;
  if (to.value - from.value < (*last - *first) / kHour * kWorthwhile) return found;
  for (auto hour = full_hour_from(*first); hour + kEdge <= *last; hour += kHour) {
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "reading {} was stopped", where_.topic);
    auto edge = edges_.find(hour);
    if (edge == edges_.end()) {
      GOPLINE_ASSIGN(auto read, read_edge(hour, to));
      if (!read) break;
      edge = edges_.emplace(hour, std::move(*read)).first;
    }
    bool follows = edge->second.begin >= (found.empty() ? from : found.back()->end);
    if (follows && edge->second.end <= to) found.push_back(&edge->second);
  }
  return found;
}

// ---- rows

Result<std::vector<SegmentRow>> RolledIndex::rows(const std::string& stream, Offset from, Offset to,
                                                  const StopToken& stop) {
  std::lock_guard lock(mutex_);
  readers_ = std::make_unique<Readers>(Readers{nullptr,
                                               {log_, where_, options_of(true, kEdgeBytes)},
                                               {log_, where_, options_of(false, 1 /* it alone */)}});
  auto rows = read_rows(stream, from, to, stop);
  readers_.reset();
  return rows;
}

Result<std::vector<SegmentRow>> RolledIndex::read_rows(const std::string& stream, Offset from, Offset to,
                                                       const StopToken& stop) {
  GOPLINE_ASSIGN(auto kept, log_.offsets(where_));
  from = std::max(from, kept.begin);
  std::erase_if(edges_, [&](const auto& edge) { return edge.second.begin < kept.begin; });
  std::vector<SegmentRow> out;
  if (from >= to) return out;
  GOPLINE_ASSIGN(auto edges, this->edges(from, to, stop));
  out.reserve(expected_rows(stream, edges, to.value - from.value));
  const Edge* before = nullptr;
  auto at = from;
  for (const auto* edge : edges) {
    bool is_told =
        before && accounts_for_all_between(*before, *edge) && take_rolled(stream, *before, *edge, out);
    if (!is_told) GOPLINE_TRY(scan(stream, at, edge->begin, stop, out));
    if (auto here = edge->streams.find(stream); here != edge->streams.end())
      out.insert(out.end(), here->second.rows.begin(), here->second.rows.end());
    at = edge->end;
    before = edge;
  }
  GOPLINE_TRY(scan(stream, at, to, stop, out));
  return out;
}

// About how many: a week of a stream is some megabytes, which are not to be moved while they become more.
std::size_t RolledIndex::expected_rows(const std::string& stream, const std::vector<const Edge*>& edges,
                                       std::int64_t most) {
  constexpr std::int64_t kBesides = 1024;  // in edges, and at both ends
  std::int64_t rows = kBesides;
  for (const auto* edge : edges) {
    auto here = edge->streams.find(stream);
    if (here == edge->streams.end()) continue;
    rows += std::ssize(here->second.rows);
    for (const auto& [epoch, marks] : here->second.epochs) rows += marks.counted;
    if (rows >= most) return static_cast<std::size_t>(most);
  }
  return static_cast<std::size_t>(std::min(rows, most));
}

Result<void> RolledIndex::scan(const std::string& stream, Offset from, Offset to, const StopToken& stop,
                               std::vector<SegmentRow>& out) {
  if (from >= to) return {};
  catalog::PartitionScanner scanner(log_, where_, options_of(true, kStretchBytes, stop));
  GOPLINE_TRY(scanner.scan(from, to, [&](const StoredRecord& stored) {
    if (stored.key != stream) return true;
    if (auto row = row_from(stored)) out.push_back(*row);
    return true;
  }));
  return {};
}

// False: a roll-up cannot be read, or leaves out what entries tell; nothing was taken.
bool RolledIndex::take_rolled(const std::string& stream, const Edge& a, const Edge& b,
                              std::vector<SegmentRow>& out) {
  auto before = a.streams.find(stream), after = b.streams.find(stream);
  if (before == a.streams.end() || after == b.streams.end()) return true;  // no entry of it lies between
  auto size = out.size();
  for (const auto& [epoch, marks] : after->second.epochs) {
    auto last = before->second.epochs.find(epoch);
    if (!marks.first || last == before->second.epochs.end() || !last->second.last) continue;
    if (marks.counted == last->second.after + marks.before) continue;  // the edges have them all
    auto read = read_roll_up(stream, epoch, marks, out);
    if (read) continue;
    log_warning(stream, "roll-up at offset {}: {}; its entries are read instead", *marks.first,
                read.error().message);
    out.resize(size);
    return false;
  }
  return true;
}

Result<void> RolledIndex::read_roll_up(const std::string& stream, EpochNumber epoch, const Marks& marks,
                                       std::vector<SegmentRow>& out) {
  std::optional<StoredRecord> stored;
  GOPLINE_TRY(readers_->values.scan(*marks.first, marks.first->next(), [&](const StoredRecord& record) {
    stored = record;
    return false;
  }));
  if (!stored || !stored->value) return fail(ErrorCode::kNotFound, "it is not there any more");
  if (stored->damage) return tl::unexpected<Error>(*stored->damage);
  GOPLINE_ASSIGN(auto hour, record::HourColumns::parse(stored->headers, std::move(*stored->value)));
  bool is_whole = stored->key == stream && hour.epoch() == epoch && hour.has("parts") &&
                  hour.size() == static_cast<std::size_t>(marks.counted);
  if (!is_whole) return fail(ErrorCode::kNotFound, "it does not have all of its entries");
  for (std::size_t i = 0; i < hour.size(); ++i) {
    GOPLINE_ASSIGN(auto row, hour.row(i));
    out.push_back(
        {*marks.first, epoch, row.segment, row.ordinal, row.time, microseconds_of(row.duration), row.late});
  }
  return {};
}

}  // namespace gopline::server
