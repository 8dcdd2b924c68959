#include "common/record/detection.h"

#include <array>

#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "common/record/marker_codec.h"

// detection and dead: docs/record-format.md, "Events".
namespace gopline::record {
namespace {

constexpr std::array<std::pair<EventPhase, std::string_view>, 3> kPhases{
    {{EventPhase::kStart, "start"}, {EventPhase::kUpdate, "update"}, {EventPhase::kEnd, "end"}}};

Json or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

Json json_of(const AnalyzerIdentity& analyzer) {
  return {{"name", analyzer.name}, {"version", analyzer.version}, {"configuration", analyzer.configuration}};
}

AnalyzerIdentity analyzer_from(const JsonObject& in) {
  return {in.text("name"), in.text("version"), in.text("configuration")};
}

Json json_of(const Enrichment& one) {
  return {{"table", one.table},
          {"version", one.version},
          {"by", one.by},
          {"key", one.key},
          {"data", Json::parse(one.data, nullptr, false)}};
}

std::vector<std::string> incomplete_from(const JsonObject& in) {
  std::vector<std::string> names;
  for (const auto& name : in.array("incomplete")) {
    if (!name.is_string()) in.complain("incomplete", "not names");
    names.push_back(name.is_string() ? name.get<std::string>() : "");
  }
  return names;
}

std::vector<Enrichment> enrichments_from(const JsonObject& in) {
  std::vector<Enrichment> enrichments;
  for (const auto& element : in.array("enrichments")) {
    auto one = in.element(element, "enrichments");
    Enrichment enrichment{one.text("table"), one.text("version"), one.text("by"), one.text("key"), {}};
    auto data = one.object("data");
    if (!data.value().is_object()) one.complain("data", "not an object");
    enrichment.data = dump(data.value());
    enrichments.push_back(std::move(enrichment));
  }
  return enrichments;
}

double fraction_from(const JsonObject& in, const char* name) {
  const auto& object = in.value();
  auto found = object.is_object() ? object.find(name) : object.end();
  if (found != object.end() && found->is_number()) return found->get<double>();
  in.complain(name, "not a number");
  return 0;
}

std::optional<double> score_from(const JsonObject& in) {
  return in.has("score") ? std::optional(fraction_from(in, "score")) : std::nullopt;
}

std::optional<PictureBox> box_from(const JsonObject& in) {
  if (!in.has("box")) return std::nullopt;
  auto box = in.object("box");
  return PictureBox{fraction_from(box, "x"), fraction_from(box, "y"), fraction_from(box, "width"),
                    fraction_from(box, "height")};
}

}  // namespace

std::string_view to_string(EventPhase phase) {
  for (auto [candidate, word] : kPhases) {
    if (candidate == phase) return word;
  }
  return {};
}

std::optional<EventPhase> event_phase_from(std::string_view text) {
  for (auto [phase, word] : kPhases) {
    if (word == text) return phase;
  }
  return std::nullopt;
}

Encoded encode(const Detection& event) {
  HeaderWriter headers(EventType::kDetection, event.stream, fmt::format("{}-{}", event.event, event.number));
  headers.number("ce_epoch", event.epoch.value);
  headers.number("ce_segment", event.segment.value);
  headers.time("ce_time", event.time);
  headers.text("ce_event", event.event);
  headers.text("ce_phase", std::string(to_string(event.phase)));
  headers.text("ce_class", event.class_name);
  headers.text("ce_analyzer", event.analyzer.name);
  Json out;
  out["stream"] = event.stream;
  out["event"] = event.event;
  out["number"] = event.number;
  out["phase"] = to_string(event.phase);
  out["epoch"] = event.epoch.value;
  out["segment"] = event.segment.value;
  out["frame"] = event.frame;
  out["pts"] = gopline::to_string(event.pts);
  out["time"] = format_rfc3339(event.time);
  out["started"] = format_rfc3339(event.started);
  out["class"] = event.class_name;
  out["score"] = event.score ? Json(*event.score) : Json();
  out["box"] = event.box ? Json{{"x", event.box->x},
                                {"y", event.box->y},
                                {"width", event.box->width},
                                {"height", event.box->height}}
                         : Json();
  out["zone"] = or_null(event.zone);
  out["track"] = or_null(event.track);
  out["analyzer"] = json_of(event.analyzer);
  out["details"] = event.details.empty() ? Json() : Json::parse(event.details, nullptr, false);
  if (!event.incomplete.empty()) out["incomplete"] = event.incomplete;
  for (const auto& one : event.enrichments) out["enrichments"].push_back(json_of(one));
  out["thumbnail"] = Json();
  if (event.thumbnail && event.thumbnail->ref) {
    const auto& ref = *event.thumbnail->ref;
    headers.text("ce_thumbnail", ref.uri);
    out["thumbnail"] = {{"content_type", event.thumbnail->content_type},
                        {"dataref", ref.uri},
                        {"size", ref.size},
                        {"xxh3", ref.xxh3}};
  } else if (const auto& thumbnail = event.thumbnail) {
    out["thumbnail"] = {{"content_type", thumbnail->content_type},
                        {"base64", base64_encode(thumbnail->data.bytes())}};
  }
  return finish_marker(std::move(headers), event.stream, out);
}

Result<Detection> parse_detection(const Headers& headers, const Buffer& value) {
  GOPLINE_ASSIGN(auto document, MarkerDocument::open(EventType::kDetection, headers, value));
  auto in = document.root();
  Detection event;
  event.stream = stream_from(in);
  event.event = in.text("event");
  event.number = in.number("number", 0);
  auto phase = event_phase_from(in.text("phase"));
  if (!phase) in.complain("phase", "not start, update or end");
  event.phase = phase.value_or(EventPhase::kStart);
  event.epoch = EpochNumber(in.number("epoch", 0));
  event.segment = SegmentNumber(in.number("segment", 0));
  event.frame = in.number("frame", 0);
  event.pts = in.media_time("pts");
  event.time = in.time("time");
  event.started = in.time("started");
  event.class_name = in.text("class");
  event.score = score_from(in);
  event.box = box_from(in);
  event.zone = in.text_or("zone", "");
  event.track = in.text_or("track", "");
  event.analyzer = analyzer_from(in.object("analyzer"));
  if (in.has("details")) event.details = dump(in.value().at("details"));
  event.incomplete = incomplete_from(in);
  event.enrichments = enrichments_from(in);
  if (in.has("thumbnail")) {
    auto thumbnail = in.object("thumbnail");
    event.thumbnail = Thumbnail{thumbnail.text("content_type"), {}};
    if (thumbnail.has("dataref")) {
      auto size = thumbnail.number("size", 0);
      event.thumbnail->ref =
          DataRef{thumbnail.text("dataref"), static_cast<std::uint64_t>(size), thumbnail.text("xxh3")};
    } else {
      event.thumbnail->data = thumbnail.bytes("base64");
    }
  }
  return document.finish(std::move(event));
}

Encoded encode(const DeadLetter& letter) {
  // As often as it is tried again by another group, configuration or version, it may die again.
  HeaderWriter headers(EventType::kDead, letter.stream,
                       fmt::format("dead-{}-{}-{}-{}", letter.epoch, letter.segment,
                                   letter.analyzer.configuration, percent_encode(letter.group)));
  headers.number("ce_epoch", letter.epoch.value);
  headers.number("ce_segment", letter.segment.value);
  headers.time("ce_time", letter.time);
  return finish_marker(std::move(headers), letter.stream,
                       {{"stream", letter.stream},
                        {"epoch", letter.epoch.value},
                        {"segment", letter.segment.value},
                        {"partition", letter.partition.value},
                        {"offset", letter.offset.value},
                        {"time", format_rfc3339(letter.time)},
                        {"analyzer", json_of(letter.analyzer)},
                        {"group", letter.group},
                        {"reason", letter.reason},
                        {"attempts", letter.attempts}});
}

Result<DeadLetter> parse_dead_letter(const Headers& headers, const Buffer& value) {
  GOPLINE_ASSIGN(auto document, MarkerDocument::open(EventType::kDead, headers, value));
  auto in = document.root();
  DeadLetter letter;
  letter.stream = stream_from(in);
  letter.epoch = EpochNumber(in.number("epoch", 0));
  letter.segment = SegmentNumber(in.number("segment", 0));
  letter.partition = PartitionId(static_cast<std::int32_t>(in.number("partition", 0)));
  letter.offset = Offset(in.number("offset", 0));
  letter.time = in.time("time");
  letter.analyzer = analyzer_from(in.object("analyzer"));
  letter.group = in.text("group");
  letter.reason = in.text("reason");
  letter.attempts = in.number("attempts", 0);
  return document.finish(std::move(letter));
}

}  // namespace gopline::record
