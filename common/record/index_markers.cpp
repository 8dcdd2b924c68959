#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "common/record/marker_codec.h"

// index and index.hour: docs/record-format.md, "Index".
namespace gopline::record {
namespace {

// Members of an entry that index.hour has as columns.
constexpr std::array kColumns{
    "epoch_offset", "segment", "ordinal",   "discontinuities", "late",      "partition",
    "offsets",      "dataref", "time",      "clock",           "start",     "duration",
    "size",         "sap",     "init_xxh3", "parts",           "gap_before"};
constexpr std::size_t kColumnCount = kColumns.size();

Json json_of(const std::vector<IndexPart>& parts) {
  Json out = Json::array();
  for (const auto& part : parts) {
    out.push_back({part.track, part.offset, part.size, gopline::to_string(part.duration), part.sap});
  }
  return out;
}

IndexPart part_from(const JsonObject& in, const Json& row) {
  bool shaped = row.is_array() && row.size() >= 5 && row[0].is_number_integer() &&
                row[1].is_number_integer() && row[2].is_number_integer() && row[3].is_string() &&
                row[4].is_number_integer();
  auto duration = shaped ? parse_rational(row[3].get<std::string>()) : Result<Rational>(Rational{});
  if (!shaped || !duration) {
    in.complain("parts", "not [track, offset, size, duration, sap]");
    return {};
  }
  return {row[0].get<int>(), row[1].get<std::uint64_t>(), row[2].get<std::uint64_t>(), *duration,
          row[4].get<int>()};
}

Json json_of(const IndexEntry& entry) {
  Json out;
  out["stream"] = entry.stream;
  out["writer"] = entry.writer;
  out["epoch"] = entry.epoch.value;
  out["epoch_offset"] = entry.epoch_offset.value;
  out["segment"] = entry.segment.value;
  out["ordinal"] = entry.ordinal.value;
  out["discontinuities"] = entry.discontinuities;
  out["late"] = entry.late;
  out["partition"] = entry.partition.value;
  out["offsets"] = Json::array();
  for (auto offset : entry.offsets) out["offsets"].push_back(offset.value);
  out["dataref"] = entry.dataref.empty() ? Json() : Json(entry.dataref);
  out["time"] = format_rfc3339(entry.time);
  out["clock"] = to_string(entry.clock);
  out["start"] = gopline::to_string(entry.start);
  out["duration"] = gopline::to_string(entry.duration);
  out["size"] = entry.size;
  out["sap"] = entry.sap;
  out["init_xxh3"] = entry.init_xxh3.empty() ? Json() : Json(entry.init_xxh3);
  out["parts"] = json_of(entry.parts);
  out["gap_before"] = entry.gap ? json_of(*entry.gap) : Json();
  return out;
}

IndexEntry entry_from(const JsonObject& in) {
  IndexEntry entry;
  entry.stream = stream_from(in);
  entry.writer = in.text("writer");
  entry.epoch = EpochNumber(in.number("epoch", 0));
  entry.epoch_offset = Offset(in.number("epoch_offset", 0));
  entry.segment = SegmentNumber(in.number("segment", 0));
  entry.ordinal = Ordinal(in.number("ordinal", 0));
  entry.discontinuities = in.number("discontinuities", 0);
  entry.late = in.flag("late");
  auto partition = in.number("partition", 0);
  if (partition > INT32_MAX) in.complain("partition", "beyond 31 bits");
  entry.partition = PartitionId(static_cast<std::int32_t>(partition));
  for (const auto& offset : in.array("offsets")) {
    if (!offset.is_number_integer())
      in.complain("offsets", "not numbers");
    else
      entry.offsets.push_back(Offset(offset.get<std::int64_t>()));
  }
  entry.dataref = in.text_or("dataref", "");
  entry.time = in.time("time");
  entry.clock = clock_from(in);
  entry.start = in.media_time("start");
  entry.duration = in.media_time("duration");
  entry.size = static_cast<std::uint64_t>(in.number("size", 0));
  entry.sap = static_cast<int>(in.number("sap", 0));
  entry.init_xxh3 = in.text_or("init_xxh3", "");
  for (const auto& row : in.array("parts")) entry.parts.push_back(part_from(in, row));
  if (in.has("gap_before")) entry.gap = gap_facts_from(in.object("gap_before"));
  return entry;
}

void put_hour_headers(HeaderWriter& headers, const IndexHour& hour) {
  headers.text("ce_writer", hour.writer);
  headers.number("ce_epoch", hour.epoch.value);
  headers.text("ce_hour", hour.hour);
  headers.time("ce_from", hour.from);
  headers.time("ce_to", hour.to);
  headers.number("ce_bytes", hour.bytes);
  headers.number("ce_segments", hour.segments);
  headers.number("ce_gaps", hour.gaps);
  headers.flag("ce_late", hour.late);
}

Json columns_of(const std::vector<IndexEntry>& entries) {
  Json columns = Json::object();
  for (std::size_t c = 0; c < kColumnCount; ++c) columns[kColumns[c]] = Json::array();
  for (const auto& entry : entries) {
    auto row = json_of(entry);
    for (std::size_t c = 0; c < kColumnCount; ++c)
      columns[kColumns[c]].push_back(std::move(row[kColumns[c]]));
  }
  return columns;
}

// Rows again from columns. A column that is absent leaves its members at null.
void rows_from(const JsonObject& in, const Json& columns, IndexHour& hour) {
  for (std::int64_t i = 0; i < hour.segments && !in.failed(); ++i) {
    Json row{{"stream", hour.stream}, {"writer", hour.writer}, {"epoch", hour.epoch.value}};
    for (std::size_t c = 0; c < kColumnCount; ++c) {
      auto column = columns.find(kColumns[c]);
      if (column == columns.end()) continue;
      if (!column->is_array() || column->size() != static_cast<std::size_t>(hour.segments)) {
        in.complain(kColumns[c], "not a column of `segments` values");
        return;
      }
      row[kColumns[c]] = (*column)[static_cast<std::size_t>(i)];
    }
    hour.entries.push_back(entry_from(in.element(row, "columns")));
  }
}

}  // namespace

GapFacts joined(const std::optional<GapFacts>& first, const GapFacts& next) {
  if (!first) return next;
  return {first->cause, std::min(first->from, next.from), std::max(first->to, next.to),
          first->bytes + next.bytes};
}

Timestamp IndexEntry::end_time() const {
  constexpr std::int64_t kMost = INT64_MAX / 4;  // far beyond any footage; keeps the sum from overflowing
  auto us = rescale(duration.num, Rational{1, duration.den}, Rational{1, 1'000'000});
  return time + Duration(std::clamp<std::int64_t>(us, 0, kMost));
}

Encoded encode(const IndexEntry& entry) {
  HeaderWriter headers(EventType::kIndex, entry.stream,
                       fmt::format("index-{}-{}", entry.epoch, entry.segment));
  headers.text("ce_writer", entry.writer);
  headers.number("ce_epoch", entry.epoch.value);
  headers.number("ce_segment", entry.segment.value);
  headers.number("ce_ordinal", entry.ordinal.value);
  headers.time("ce_time", entry.time);
  headers.media_time("ce_start", entry.start);
  headers.media_time("ce_duration", entry.duration);
  headers.flag("ce_late", entry.late);
  return finish_marker(std::move(headers), entry.stream, json_of(entry));
}

Result<IndexEntry> parse_index_entry(const Headers& headers, const Buffer& value) {
  GOPLINE_ASSIGN(auto document, MarkerDocument::open(EventType::kIndex, headers, value));
  return document.finish(entry_from(document.root()));
}

Result<IndexEntry> parse_index_entry_value(std::string_view value) {
  GOPLINE_ASSIGN(auto document, MarkerDocument::parse(EventType::kIndex, value));
  return document.finish(entry_from(document.root()));
}

Encoded encode(const IndexHour& hour, std::size_t max_value_bytes) {
  HeaderWriter headers(EventType::kIndexHour, hour.stream, fmt::format("hour-{}-{}", hour.epoch, hour.hour));
  put_hour_headers(headers, hour);
  Json value{{"stream", hour.stream},
             {"writer", hour.writer},
             {"epoch", hour.epoch.value},
             {"hour", hour.hour},
             {"from", format_rfc3339(hour.from)},
             {"to", format_rfc3339(hour.to)},
             {"bytes", hour.bytes},
             {"segments", hour.segments},
             {"gaps", hour.gaps},
             {"late", hour.late},
             {"columns", hour.entries.empty() ? Json() : columns_of(hour.entries)}};
  auto encoded = finish_marker(headers, hour.stream, value);
  if (encoded.value.size() > max_value_bytes && !value["columns"].is_null()) {
    value["columns"].erase("parts");
    encoded = finish_marker(headers, hour.stream, value);
  }
  if (encoded.value.size() > max_value_bytes) {
    value["columns"] = nullptr;
    encoded = finish_marker(headers, hour.stream, value);
  }
  return encoded;
}

Result<IndexHour> parse_index_hour(const Headers& headers, const Buffer& value) {
  GOPLINE_ASSIGN(auto document, MarkerDocument::open(EventType::kIndexHour, headers, value));
  auto in = document.root();
  IndexHour hour;
  hour.stream = stream_from(in);
  hour.writer = in.text("writer");
  hour.epoch = EpochNumber(in.number("epoch", 0));
  hour.hour = in.text("hour");
  hour.from = in.time("from");
  hour.to = in.time("to");
  hour.bytes = static_cast<std::uint64_t>(in.number("bytes", 0));
  hour.segments = in.number("segments", 0);
  hour.gaps = in.number("gaps", 0);
  hour.late = in.flag("late");
  if (in.has("columns")) {
    auto columns = in.object("columns");
    if (!in.failed()) rows_from(columns, columns.value(), hour);
  }
  return document.finish(std::move(hour));
}

}  // namespace gopline::record
