#include "aggregator/join.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/absences.h"
#include "cli/console.h"
#include "cli/display_width.h"
#include "cli/exit_codes.h"
#include "cli/several_streams.h"
#include "cli/stream_summary.h"
#include "cli/text_forms.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

using aggregator::JoinedStream;
using aggregator::JoinReport;
using nlohmann::ordered_json;

double start_of(const JoinReport& report, const JoinedStream& stream) {
  return static_cast<double>((stream.from - report.origin).count()) / 1e6;
}

ordered_json report_json(const SeveralCommand& command, const JoinReport& report) {
  ordered_json json{{"output", command.output},
                    {"format", report.format},
                    {"whole", report.whole()},
                    {"origin", json_time(report.origin)},
                    {"bytes", report.bytes}};
  json["streams"] = ordered_json::array();
  for (const auto& stream : report.streams) {
    ordered_json one{{"stream", stream.stream},           {"first_track", stream.first_track + 1},
                     {"tracks", stream.tracks},           {"start_seconds", start_of(report, stream)},
                     {"segments", stream.segments},       {"packets", stream.packets},
                     {"skipped_packets", stream.skipped}, {"placed_anew", stream.placed_anew}};
    one["gaps"] = ordered_json::array();
    for (const auto& absence : stream.absences) one["gaps"].push_back(absence_json(absence));
    json["streams"].push_back(std::move(one));
  }
  return json;
}

std::string summary(const SeveralCommand& command, const JoinReport& report) {
  auto target = command.output == "-" ? std::string("standard output") : printable(command.output);
  auto text = fmt::format("{} streams -> {}: {} of {}, zero is {}\n", report.streams.size(), target,
                          format_bytes(report.bytes), report.format, show_time(report.origin));
  for (const auto& one : report.streams) {
    text += fmt::format("  {}: {} from track {} on, {} segments, from {:.3f} s\n", printable(one.stream),
                        one.tracks == 1 ? "1 track" : fmt::format("{} tracks", one.tracks),
                        one.first_track + 1, show_count(one.segments), start_of(report, one));
  }
  for (const auto& one : report.streams) {
    if (one.absences.empty()) continue;
    text +=
        fmt::format("\n{} is not whole: {} gaps; {} packets before the next key frame were left out.\n\n{}",
                    printable(one.stream), one.absences.size(), one.skipped, absences_table(one.absences));
  }
  return text;
}

}  // namespace

Result<int> run_join(const SeveralCommand& command, Log& log, payload::BlobSource& blobs,
                     const Environment& environment) {
  bool quiet = command.messages.quiet;
  ProgressBoard board(environment.clock, progress_options(quiet), print_note);
  auto line = board.add("join");
  aggregator::JoinOptions options{command.streams, command.output, command.format, &blobs};
  auto report = aggregator::join_streams(
      log, options,
      [&](const aggregator::JoinProgress& progress) {
        ProgressState state{progress.bytes, std::nullopt, {}};
        if (progress.bytes_planned > 0)
          state.fraction = static_cast<double>(progress.bytes) / static_cast<double>(progress.bytes_planned);
        board.update(line, state);
      },
      environment.stop);
  board.close();
  if (!report) return tl::unexpected(report.error());
  if (command.messages.json) print_result(report_json(command, *report).dump(2) + "\n");
  if (!report->whole() || !(quiet || command.messages.json)) print_note(summary(command, *report));
  return report->whole() ? kWhole : kNotWhole;
}

}  // namespace gopline::cli
