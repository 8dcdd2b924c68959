#include "cli/verify_report.h"

#include <fmt/format.h>

#include "cli/display_width.h"
#include "cli/table.h"
#include "cli/text_forms.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

using nlohmann::ordered_json;

template <typename Number>
ordered_json number_or_null(const std::optional<Number>& number) {
  return number ? ordered_json(number->value) : ordered_json();
}

template <typename Number>
std::string number_or_dash(const std::optional<Number>& number) {
  return number ? std::to_string(number->value) : "-";
}

std::string problems_table(const std::vector<Problem>& problems) {
  Table table({{"PROBLEM"},
               {"TOPIC"},
               {"OFFSET", Align::kRight},
               {"EPOCH", Align::kRight},
               {"SEGMENT", Align::kRight},
               {"WHAT"}});
  for (const auto& problem : problems) {
    table.add_row({problem.kind, problem.topic, number_or_dash(problem.offset), number_or_dash(problem.epoch),
                   number_or_dash(problem.segment), problem.message});
  }
  return table.to_string();
}

}  // namespace

std::string gaps_table(const std::vector<FoundGap>& gaps) {
  Table table({{"GAP"},
               {"EPOCH", Align::kRight},
               {"BEFORE SEGMENT", Align::kRight},
               {"FROM (UTC)"},
               {"TO (UTC)"},
               {"BYTES", Align::kRight}});
  for (const auto& gap : gaps) {
    table.add_row({std::string(record::to_string(gap.facts.cause)), std::to_string(gap.epoch.value),
                   std::to_string(gap.before.value), show_time(gap.facts.from), show_time(gap.facts.to),
                   gap.facts.bytes > 0 ? format_bytes(gap.facts.bytes) : "-"});
  }
  return table.to_string();
}

ordered_json json_of(const VerifyReport& report) {
  const auto& counts = report.counts;
  ordered_json json{{"stream", report.stream},
                    {"whole", report.is_whole()},
                    {"partition", report.partition.value},
                    {"first_offset", report.kept.begin.value},
                    {"end_offset", report.kept.end.value}};
  json["counts"] = {{"records", counts.records},
                    {"epochs", counts.epochs},
                    {"segments", counts.segments},
                    {"chunks", counts.chunks},
                    {"bytes", counts.bytes},
                    {"claims", counts.claims},
                    {"sha256", counts.sha256},
                    {"fragments", counts.fragments},
                    {"packets", counts.packets},
                    {"index_entries", counts.index_entries},
                    {"index_hours", counts.index_hours},
                    {"duplicates", counts.duplicates},
                    {"late", counts.late},
                    {"foreign", counts.foreign}};
  json["problems"] = ordered_json::array();
  for (const auto& problem : report.problems) {
    json["problems"].push_back({{"kind", problem.kind},
                                {"message", problem.message},
                                {"topic", problem.topic},
                                {"offset", number_or_null(problem.offset)},
                                {"epoch", number_or_null(problem.epoch)},
                                {"segment", number_or_null(problem.segment)}});
  }
  json["gaps"] = ordered_json::array();
  for (const auto& gap : report.gaps) json["gaps"].push_back(json_of(gap));
  json["notes"] = report.notes;
  return json;
}

std::string to_text(const VerifyReport& report) {
  const auto& counts = report.counts;
  auto text = fmt::format(
      "{}: {} epochs, {} segments in {} chunks, {}\n"
      "  checked  {} hashes, {} SHA-256, {} fragments, {} packets, {} index entries, {} hourly indexes\n",
      printable(report.stream), counts.epochs, show_count(counts.segments), show_count(counts.chunks),
      format_bytes(counts.bytes), show_count(counts.chunks), show_count(counts.sha256),
      show_count(counts.fragments), show_count(counts.packets), show_count(counts.index_entries),
      show_count(counts.index_hours));
  if (counts.duplicates + counts.late + counts.foreign > 0) {
    text += fmt::format("  besides  {} duplicates, {} late chunks, {} records of kinds unknown here\n",
                        counts.duplicates, counts.late, counts.foreign);
  }
  for (const auto& note : report.notes) text += fmt::format("  note     {}\n", printable(note));
  if (!report.problems.empty()) text += "\n" + problems_table(report.problems);
  if (!report.gaps.empty()) text += "\n" + gaps_table(report.gaps);
  if (report.is_whole()) return text + "  result   whole\n";
  return text + fmt::format("\n  result   not whole: {} problems, {} gaps\n", report.problems.size(),
                            report.gaps.size());
}

}  // namespace gopline::cli
