#include "common/record/siem_forms.h"

#include <cmath>
#include <cstdint>

#include <nlohmann/json.hpp>

#include "common/base/text.h"

namespace gopline::record {
namespace {

using nlohmann::ordered_json;

constexpr int kDetectionFinding = 2004;
constexpr int kOtherAnalytic = 99;

std::int64_t milliseconds_of(Timestamp time) {
  return time.time_since_epoch().count() / 1000;
}

struct PhaseWords {
  int activity = 1, status = 1;
  const char* activity_name = "Create";
  const char* status_name = "New";
  const char* ecs_type = "start";
};

PhaseWords words_of(EventPhase phase) {
  switch (phase) {
    case EventPhase::kStart:
      return {};
    case EventPhase::kUpdate:
      return {2, 2, "Update", "In Progress", "info"};
    case EventPhase::kEnd:
      break;
  }
  return {3, 4, "Close", "Resolved", "end"};
}

std::string sentence_of(const Detection& detection) {
  auto text = detection.class_name;
  if (!detection.zone.empty()) text += " in " + detection.zone;
  return text + ", " + detection.stream;
}

// Which picture it is, and what of it.
ordered_json position_of(const Detection& detection) {
  ordered_json position{{"stream", detection.stream},
                        {"epoch", detection.epoch.value},
                        {"segment", detection.segment.value},
                        {"frame", detection.frame},
                        {"pts", gopline::to_string(detection.pts)},
                        {"time", format_rfc3339(detection.time)}};
  if (detection.box) {
    const auto& box = *detection.box;
    position["box"] = {{"x", box.x}, {"y", box.y}, {"width", box.width}, {"height", box.height}};
  }
  if (!detection.zone.empty()) position["zone"] = detection.zone;
  if (!detection.track.empty()) position["track"] = detection.track;
  if (!detection.incomplete.empty()) position["incomplete"] = detection.incomplete;
  if (!detection.details.empty())
    position["details"] = ordered_json::parse(detection.details, nullptr, false);
  return position;
}

// What reference tables say, in the schema's own words.
ordered_json enrichments_of(const Detection& detection) {
  auto out = ordered_json::array();
  for (const auto& one : detection.enrichments) {
    out.push_back({{"name", one.by},
                   {"value", one.key},
                   {"data", ordered_json::parse(one.data, nullptr, false)},
                   {"provider", one.table},
                   {"desc", "version " + one.version}});
  }
  return out;
}

}  // namespace

std::map<std::string, std::string> labels_of(const Detection& detection) {
  std::map<std::string, std::string> labels;
  for (const auto& one : detection.enrichments) {
    auto row = ordered_json::parse(one.data, nullptr, false);
    if (!row.is_object()) continue;
    for (const auto& [name, value] : row.items()) {
      auto text = value.is_string() ? value.get<std::string>()
                                    : value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
      labels.insert_or_assign(name, text);
    }
  }
  return labels;
}

std::string to_ocsf(const Detection& detection, std::string_view program_version) {
  auto words = words_of(detection.phase);
  auto now = milliseconds_of(detection.time), started = milliseconds_of(detection.started);
  const auto& analyzer = detection.analyzer;
  ordered_json out{{"activity_id", words.activity},
                   {"activity_name", words.activity_name},
                   {"category_uid", 2},
                   {"category_name", "Findings"},
                   {"class_uid", kDetectionFinding},
                   {"class_name", "Detection Finding"},
                   {"type_uid", 100 * kDetectionFinding + words.activity},
                   {"type_name", std::string("Detection Finding: ") + words.activity_name},
                   {"severity_id", 1},
                   {"severity", "Informational"},
                   {"status_id", words.status},
                   {"status", words.status_name},
                   {"time", now},
                   {"start_time", started}};
  if (detection.phase == EventPhase::kEnd) out["end_time"] = now;
  if (detection.score) out["confidence_score"] = static_cast<int>(std::lround(100 * *detection.score));
  out["message"] = sentence_of(detection);
  out["metadata"] = {
      {"version", "1.5.0"},
      {"product", {{"name", "gopline"}, {"vendor_name", "gopline"}, {"version", program_version}}},
      {"uid", detection.stream + " " + detection.event + "-" + std::to_string(detection.number)},
      {"sequence", detection.number},
      {"original_time", format_rfc3339(detection.time)}};
  out["finding_info"] = {{"uid", detection.stream + " " + detection.event},
                         {"title", sentence_of(detection)},
                         {"types", {detection.class_name}},
                         {"first_seen_time", started},
                         {"last_seen_time", now},
                         {"analytic",
                          {{"name", analyzer.name},
                           {"version", analyzer.version},
                           {"uid", analyzer.configuration},
                           {"type_id", kOtherAnalytic},
                           {"type", "Other"}}}};
  out["resources"] =
      ordered_json::array({{{"uid", detection.stream}, {"name", detection.stream}, {"type", "camera"}}});
  if (!detection.enrichments.empty()) out["enrichments"] = enrichments_of(detection);
  out["evidences"] = ordered_json::array({{{"data", position_of(detection)}}});
  return out.dump();
}

std::string to_ecs(const Detection& detection, std::string_view program_version) {
  auto words = words_of(detection.phase);
  ordered_json event{{"id", detection.stream + " " + detection.event},
                     {"kind", "alert"},
                     {"category", {"intrusion_detection"}},
                     {"type", {words.ecs_type}},
                     {"action", detection.class_name},
                     {"module", "gopline"},
                     {"dataset", "gopline.events"},
                     {"provider", detection.analyzer.name},
                     {"sequence", detection.number},
                     {"start", format_rfc3339(detection.started)}};
  if (detection.phase == EventPhase::kEnd) {
    event["end"] = format_rfc3339(detection.time);
    event["duration"] = 1000 * (detection.time - detection.started).count();
  }
  if (detection.score) event["risk_score"] = 100 * *detection.score;
  auto position = position_of(detection);
  position["class"] = detection.class_name;
  position["phase"] = to_string(detection.phase);
  ordered_json out{{"@timestamp", format_rfc3339(detection.time)},
                   {"message", sentence_of(detection)},
                   {"ecs", {{"version", "8.11.0"}}},
                   {"event", event},
                   {"observer",
                    {{"name", detection.stream},
                     {"type", "camera"},
                     {"product", "gopline"},
                     {"version", program_version}}},
                   {"rule",
                    {{"name", detection.analyzer.name},
                     {"version", detection.analyzer.version},
                     {"id", detection.analyzer.configuration}}},
                   {"gopline", position}};
  if (!detection.enrichments.empty()) out["labels"] = labels_of(detection);
  return out.dump();
  return out.dump();
}

}  // namespace gopline::record
