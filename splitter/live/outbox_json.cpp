#include "splitter/live/outbox_json.h"

#include <nlohmann/json.hpp>

#include "common/bytes/digest.h"

namespace gopline::splitter {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "gopline.spill.v1";

json number_of(Timestamp time) {
  return time.time_since_epoch().count();
}
Timestamp time_at(const json& object, const char* name) {
  return Timestamp(Duration(object.at(name).get<std::int64_t>()));
}

json parts_of(const media::BuiltSegment& segment) {
  auto parts = json::array();
  for (const auto& part : segment.parts)
    parts.push_back({part.track_id, part.offset, part.size, part.duration, part.sap});
  return parts;
}

SpilledItem spilled(const EpochBegin& begin) {
  record::EpochStarted started;
  started.stream = "spill";
  started.clock = begin.clock;
  started.source = begin.source;
  started.tracks = begin.tracks;
  started.init_xxh3 = begin.init_xxh3;
  auto encoded = record::encode(started);
  auto headers = json::array();
  for (const auto& header : encoded.headers) headers.push_back({header.name, header.value});
  json line{{"kind", "begin"}, {"repeats", begin.repeats}, {"headers", std::move(headers)}};
  return {line.dump(), BufferChain(std::move(encoded.value))};
}

SpilledItem spilled(const LiveSegment& live) {
  const auto& s = live.segment;
  json line{{"kind", "segment"},
            {"time", number_of(live.time)},
            {"end", number_of(live.end)},
            {"clock", to_string(live.clock)},
            {"content_type", s.content_type},
            {"init_xxh3", s.init_xxh3},
            {"init_size", s.init_size},
            {"parts", parts_of(s)},
            {"part", s.part},
            {"last_part", s.last_part},
            {"sap", s.sap},
            {"discontinuity", s.discontinuity},
            {"start", s.start},
            {"duration", s.duration},
            {"timescale", s.timescale},
            {"first_pts", s.first_pts},
            {"packets", s.packets},
            {"size", s.bytes.size()},
            {"xxh3", xxh3_hex(s.bytes)}};
  return {line.dump(), s.bytes};
}

SpilledItem spilled(const record::GapFacts& gap) {
  json line{{"kind", "gap"},
            {"cause", to_string(gap.cause)},
            {"from", number_of(gap.from)},
            {"to", number_of(gap.to)},
            {"bytes", gap.bytes}};
  return {line.dump(), {}};
}

SpilledItem spilled(const EpochEnd& end) {
  return {json{{"kind", "end"}, {"cause", to_string(end.cause)}}.dump(), {}};
}

Result<OutboxItem> begin_from(const json& line, const Buffer& bytes) {
  Headers headers;
  for (const auto& header : line.at("headers")) headers.push_back({header.at(0), header.at(1)});
  GOPLINE_ASSIGN(auto started, record::parse_epoch_started(headers, bytes));
  return EpochBegin{std::move(started.source), std::move(started.tracks), std::move(started.init_xxh3),
                    started.clock, line.at("repeats").get<bool>()};
}

Result<OutboxItem> segment_from(const json& line, Buffer bytes) {
  LiveSegment live;
  live.time = time_at(line, "time");
  live.end = time_at(line, "end");
  auto clock = record::capture_clock_from(line.at("clock").get<std::string>());
  if (!clock) return fail(ErrorCode::kCorrupt, "no such clock");
  live.clock = *clock;
  auto& s = live.segment;
  s.bytes = BufferChain(std::move(bytes));
  if (xxh3_hex(s.bytes) != line.at("xxh3").get<std::string>())
    return fail(ErrorCode::kCorrupt, "its bytes are not those it had");
  s.content_type = line.at("content_type");
  s.init_xxh3 = line.at("init_xxh3");
  s.init_size = line.at("init_size");
  for (const auto& part : line.at("parts"))
    s.parts.push_back({part.at(0), part.at(1), part.at(2), part.at(3), part.at(4)});
  s.part = line.value("part", 0);  // a spill of a version that knew no parts has whole segments
  s.last_part = line.value("last_part", true);
  s.sap = line.at("sap");
  s.discontinuity = line.at("discontinuity");
  s.start = line.at("start");
  s.duration = line.at("duration");
  s.timescale = line.at("timescale");
  s.first_pts = line.at("first_pts");
  s.packets = line.at("packets");
  return live;
}

Result<OutboxItem> item_from(const json& line, Buffer bytes) {
  if (line.value("format", "") != kFormat) return fail(ErrorCode::kCorrupt, "it is not of this version");
  auto kind = line.at("kind").get<std::string>();
  if (kind == "begin") return begin_from(line, bytes);
  if (kind == "segment") return segment_from(line, std::move(bytes));
  if (kind == "gap") {
    auto cause = record::gap_cause_from(line.at("cause").get<std::string>());
    if (!cause) return fail(ErrorCode::kCorrupt, "no such cause");
    return record::GapFacts{*cause, time_at(line, "from"), time_at(line, "to"), line.at("bytes")};
  }
  auto cause = record::end_cause_from(line.at("cause").get<std::string>());
  if (kind != "end" || !cause) return fail(ErrorCode::kCorrupt, "no such item");
  return EpochEnd{*cause};
}

}  // namespace

SpilledItem to_spilled(const OutboxItem& item) {
  auto out = std::visit([](const auto& what) { return spilled(what); }, item);
  auto line = json::parse(out.line);
  line["format"] = kFormat;
  out.line = line.dump();
  return out;
}

Result<SpilledSummary> summary_of(const std::string& line) {
  auto parsed = json::parse(line, nullptr, false);
  if (parsed.is_discarded()) return fail(ErrorCode::kCorrupt, "its first line is no JSON");
  try {
    auto kind = parsed.at("kind").get<std::string>();
    if (kind == "segment")
      return SpilledSummary{
          true, false, parsed.at("sap"), parsed.at("size"), time_at(parsed, "time"), time_at(parsed, "end")};
    return SpilledSummary{false, kind == "gap", 0, 0, {}, {}};
  } catch (const json::exception& wrong) {
    return fail(ErrorCode::kCorrupt, "{}", wrong.what());
  }
}

Result<OutboxItem> from_spilled(const std::string& line, Buffer bytes) {
  auto parsed = json::parse(line, nullptr, false);
  if (parsed.is_discarded()) return fail(ErrorCode::kCorrupt, "its first line is no JSON");
  try {
    return item_from(parsed, std::move(bytes));
  } catch (const json::exception& wrong) {
    return fail(ErrorCode::kCorrupt, "{}", wrong.what());
  }
}

}  // namespace gopline::splitter
