#include "analyzer/exec/answer.h"

#include <nlohmann/json.hpp>

namespace gopline::analyzer {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMostEvents = 10'000;
constexpr std::size_t kMostShown = 80;

tl::unexpected<Error> wrong(std::string_view what) {
  return fail(ErrorCode::kUnavailable, "the program's answer: {}", what);
}

Result<std::string> text_of(const Json& event, const char* name) {
  auto found = event.find(name);
  if (found == event.end() || found->is_null()) return std::string();
  if (found->is_number_integer()) return found->dump();
  if (!found->is_string()) return wrong(std::string(name) + " is no text");
  return found->get<std::string>();
}

Result<std::optional<record::PictureBox>> box_of(const Json& event) {
  auto found = event.find("box");
  if (found == event.end() || found->is_null()) return std::nullopt;
  bool good = found->is_array() && found->size() == 4;
  for (std::size_t i = 0; good && i < 4; ++i) good = (*found)[i].is_number();
  if (!good) return wrong("box is not [x, y, width, height] as fractions of the picture");
  auto at = [&](std::size_t i) { return (*found)[i].get<double>(); };
  return record::PictureBox{at(0), at(1), at(2), at(3)};
}

Result<AnswerEvent> event_of(const Json& json) {
  if (!json.is_object()) return wrong("an event is no object");
  AnswerEvent event;
  auto& finding = event.finding;
  GOPLINE_ASSIGN(finding.class_name, text_of(json, "class"));
  if (finding.class_name.empty()) return wrong("an event has no class");
  GOPLINE_ASSIGN(finding.zone, text_of(json, "zone"));
  GOPLINE_ASSIGN(finding.track, text_of(json, "track"));
  GOPLINE_ASSIGN(finding.box, box_of(json));
  if (auto score = json.find("score"); score != json.end() && !score->is_null()) {
    if (!score->is_number()) return wrong("score is no number");
    finding.score = score->get<double>();
  }
  if (auto details = json.find("details"); details != json.end() && !details->is_null()) {
    if (!details->is_object()) return wrong("details is no object");
    finding.details = details->dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  auto object = json.find("object");
  if (object == json.end() || object->is_null()) return event;
  if (!object->is_number_integer() || object->get<std::int64_t>() < 0)
    return wrong("object is no number from 0 on");
  event.object = object->get<std::int64_t>();
  GOPLINE_ASSIGN(auto phase, text_of(json, "phase"));
  auto known = record::event_phase_from(phase);
  if (!known) return wrong("phase is not start, update or end");
  finding.phase = *known;
  return event;
}

}  // namespace

Result<std::vector<AnswerEvent>> parse_answer(std::string_view line) {
  auto json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return wrong("'" + std::string(line.substr(0, kMostShown)) + "' is no JSON object");
  if (auto error = json.find("error"); error != json.end() && error->is_string())
    return fail(ErrorCode::kUnavailable, "the program says: {}", error->get<std::string>());
  std::vector<AnswerEvent> events;
  auto list = json.find("events");
  if (list == json.end()) return events;
  if (!list->is_array() || list->size() > kMostEvents) return wrong("events is no list, or too long a one");
  for (const auto& one : *list) {
    GOPLINE_ASSIGN(auto event, event_of(one));
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace gopline::analyzer
