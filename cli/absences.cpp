#include "cli/absences.h"

#include <fmt/format.h>

#include "cli/stream_summary.h"
#include "cli/table.h"
#include "cli/text_forms.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

std::string segments_of(const aggregator::Absence& absence) {
  if (!absence.first_segment) return "-";
  auto first = absence.first_segment->value;
  return absence.segments <= 1 ? std::to_string(first)
                               : fmt::format("{}-{}", first, first + absence.segments - 1);
}

}  // namespace

std::string absences_table(const std::vector<aggregator::Absence>& absences) {
  Table table({{"GAP"},
               {"EPOCH", Align::kRight},
               {"SEGMENTS", Align::kRight},
               {"FROM (UTC)"},
               {"TO (UTC)"},
               {"BYTES", Align::kRight},
               {"WHY"}});
  for (const auto& absence : absences) {
    table.add_row({std::string(to_string(absence.cause)), std::to_string(absence.epoch.value),
                   segments_of(absence), show_time(absence.from), show_time(absence.to),
                   absence.bytes > 0 ? format_bytes(absence.bytes) : "-", absence.reason});
  }
  return table.to_string();
}

nlohmann::ordered_json absence_json(const aggregator::Absence& absence) {
  nlohmann::ordered_json json{
      {"epoch", absence.epoch.value}, {"cause", to_string(absence.cause)}, {"reason", absence.reason}};
  json["first_segment"] =
      absence.first_segment ? nlohmann::ordered_json(absence.first_segment->value) : nlohmann::ordered_json();
  json["segments"] = absence.segments;
  json["from"] = json_time(absence.from);
  json["to"] = json_time(absence.to);
  json["bytes"] = absence.bytes;
  if (!absence.uri.empty()) json["uri"] = absence.uri;
  return json;
}

}  // namespace gopline::cli
