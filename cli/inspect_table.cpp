#include "cli/inspect_table.h"

#include <fmt/format.h>

#include "cli/table.h"
#include "cli/text_forms.h"
#include "common/base/text.h"

namespace gopline::cli {

std::string segments_table(const std::vector<record::IndexEntry>& entries) {
  Table table({{"ORDINAL", Align::kRight},
               {"EPOCH", Align::kRight},
               {"SEGMENT", Align::kRight},
               {"CAPTURE TIME (UTC)"},
               {"START", Align::kRight},
               {"DURATION", Align::kRight},
               {"BYTES", Align::kRight},
               {"SAP", Align::kRight},
               {"CHUNKS", Align::kRight},
               {"OFFSET", Align::kRight},
               {"NOTES"}});
  for (const auto& entry : entries) {
    std::string notes = entry.late ? "late" : "";
    if (entry.gap) {
      notes +=
          fmt::format("{}after a gap ({}) of {}", notes.empty() ? "" : ", ",
                      record::to_string(entry.gap->cause), format_duration(entry.gap->to - entry.gap->from));
    }
    if (!entry.dataref.empty()) notes += fmt::format("{}at {}", notes.empty() ? "" : ", ", entry.dataref);
    table.add_row({std::to_string(entry.ordinal.value), std::to_string(entry.epoch.value),
                   std::to_string(entry.segment.value), show_time(entry.time), show_seconds(entry.start),
                   show_seconds(entry.duration), show_count(static_cast<std::int64_t>(entry.size)),
                   std::to_string(entry.sap), std::to_string(entry.offsets.size()),
                   entry.offsets.empty() ? "-" : std::to_string(entry.offsets.front().value), notes});
  }
  return table.to_string();
}

}  // namespace gopline::cli
