#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "common/record/marker_codec.h"

// epoch.started, epoch.ended, gap: docs/record-format.md, "Epochs".
namespace gopline::record {

Json json_of(const EpochStarted& marker) {
  Json out;
  out["stream"] = marker.stream;
  out["writer"] = marker.writer;
  out["epoch_base"] = marker.epoch_base;
  out["time"] = format_rfc3339(marker.time);
  out["clock"] = to_string(marker.clock);
  out["program"] = marker.program;
  out["late"] = marker.late;
  out["content_type"] = marker.content_type;
  out["init_xxh3"] = marker.init_xxh3.empty() ? Json() : Json(marker.init_xxh3);
  out["source"] = json_of(marker.source);
  out["tracks"] = Json::array();
  for (const auto& track : marker.tracks) out["tracks"].push_back(json_of(track));
  if (const auto& c = marker.continues) {
    out["continues"] = {{"epoch", c->epoch.value}, {"segments", c->segments}, {"bytes", c->bytes}};
  }
  return out;
}

EpochStarted epoch_started_from(const JsonObject& in) {
  EpochStarted marker;
  marker.stream = stream_from(in);
  marker.writer = in.text("writer");
  marker.epoch_base = in.number("epoch_base", 0);
  marker.time = in.time("time");
  marker.clock = clock_from(in);
  marker.program = in.text_or("program", "");
  marker.late = in.flag("late");
  marker.content_type = in.text("content_type");
  marker.init_xxh3 = in.text_or("init_xxh3", "");
  marker.source = source_from(in.object("source"));
  for (const auto& track : in.array("tracks"))
    marker.tracks.push_back(track_from(in.element(track, "tracks")));
  if (in.has("continues")) {
    auto before = in.object("continues");
    marker.continues = Continuation{EpochNumber(before.number("epoch", 0)), before.number("segments", 0),
                                    static_cast<std::uint64_t>(before.number("bytes", 0))};
  }
  return marker;
}

Encoded encode(const EpochStarted& marker) {
  HeaderWriter headers(EventType::kEpochStarted, marker.stream, marker.writer);
  headers.text("ce_writer", marker.writer);
  headers.number("ce_epochbase", marker.epoch_base);
  headers.time("ce_time", marker.time);
  headers.flag("ce_late", marker.late);
  return finish_marker(std::move(headers), marker.stream, json_of(marker));
}

Result<EpochStarted> parse_epoch_started(const Headers& headers, const Buffer& value) {
  GOPLINE_ASSIGN(auto document, MarkerDocument::open(EventType::kEpochStarted, headers, value));
  return document.finish(epoch_started_from(document.root()));
}

Encoded encode(const EpochEnded& marker) {
  HeaderWriter headers(EventType::kEpochEnded, marker.stream, fmt::format("{}-ended", marker.epoch));
  headers.text("ce_writer", marker.writer);
  headers.number("ce_epoch", marker.epoch.value);
  headers.time("ce_time", marker.time);
  headers.flag("ce_late", marker.late);
  return finish_marker(std::move(headers), marker.stream,
                       {{"stream", marker.stream},
                        {"writer", marker.writer},
                        {"epoch", marker.epoch.value},
                        {"time", format_rfc3339(marker.time)},
                        {"cause", to_string(marker.cause)},
                        {"segments", marker.segments},
                        {"bytes", marker.bytes},
                        {"late", marker.late}});
}

Result<EpochEnded> parse_epoch_ended(const Headers& headers, const Buffer& value) {
  GOPLINE_ASSIGN(auto document, MarkerDocument::open(EventType::kEpochEnded, headers, value));
  auto in = document.root();
  EpochEnded marker;
  marker.stream = stream_from(in);
  marker.writer = in.text("writer");
  marker.epoch = EpochNumber(in.number("epoch", 0));
  marker.time = in.time("time");
  auto cause = end_cause_from(in.text("cause"));
  if (!cause) in.complain("cause", "not end-of-input, stopped, source-lost or handed-over");
  marker.cause = cause.value_or(EndCause::kStopped);
  marker.segments = in.number("segments", 0);
  marker.bytes = static_cast<std::uint64_t>(in.number("bytes", 0));
  marker.late = in.flag("late");
  return document.finish(std::move(marker));
}

Encoded encode(const Gap& marker) {
  HeaderWriter headers(EventType::kGap, marker.stream, fmt::format("{}-gap-{}", marker.epoch, marker.number));
  headers.text("ce_writer", marker.writer);
  headers.number("ce_epoch", marker.epoch.value);
  headers.time("ce_time", marker.time);
  headers.flag("ce_late", marker.late);
  Json value{{"stream", marker.stream},
             {"writer", marker.writer},
             {"epoch", marker.epoch.value},
             {"number", marker.number},
             {"time", format_rfc3339(marker.time)}};
  value.update(json_of(marker.facts));
  value["late"] = marker.late;
  return finish_marker(std::move(headers), marker.stream, value);
}

Result<Gap> parse_gap(const Headers& headers, const Buffer& value) {
  GOPLINE_ASSIGN(auto document, MarkerDocument::open(EventType::kGap, headers, value));
  auto in = document.root();
  Gap marker;
  marker.stream = stream_from(in);
  marker.writer = in.text("writer");
  marker.epoch = EpochNumber(in.number("epoch", 0));
  marker.number = in.number("number", 0);
  marker.time = in.time("time");
  marker.facts = gap_facts_from(in);
  marker.late = in.flag("late");
  return document.finish(std::move(marker));
}

}  // namespace gopline::record
