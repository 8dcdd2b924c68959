#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "aggregator/mosaic.h"
#include "cli/absences.h"
#include "cli/console.h"
#include "cli/display_width.h"
#include "cli/exit_codes.h"
#include "cli/several_streams.h"
#include "cli/stream_summary.h"
#include "cli/table.h"
#include "cli/text_forms.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

using aggregator::MosaicReport;
using nlohmann::ordered_json;

double seconds_of(std::uint64_t frames, const Rational& rate) {
  return static_cast<double>(frames) * static_cast<double>(rate.den) / static_cast<double>(rate.num);
}

ordered_json stream_json(const MosaicReport& report, std::size_t index) {
  const auto& stream = report.streams[index];
  const auto& place = report.grid.places[index];
  ordered_json json{{"stream", stream.stream},
                    {"x", place.x},
                    {"y", place.y},
                    {"frames", stream.frames.frames},
                    {"shown", stream.tile.shown},
                    {"passed_over", stream.frames.passed_over},
                    {"late", stream.tile.late},
                    {"backwards", stream.frames.backwards},
                    {"undecodable", stream.undecodable},
                    {"skipped_segments", stream.skipped},
                    {"outages", stream.tile.outages},
                    {"seconds_without_signal", seconds_of(stream.tile.blank, report.frame_rate)},
                    {"gap_count", stream.gaps}};
  json["gaps"] = ordered_json::array();
  for (const auto& absence : stream.absences) json["gaps"].push_back(absence_json(absence));
  json["error"] = stream.error ? ordered_json(stream.error->message) : ordered_json();
  return json;
}

ordered_json report_json(const SeveralCommand& command, const MosaicReport& report) {
  ordered_json json{{"output", command.output},
                    {"format", report.format},
                    {"whole", report.whole()},
                    {"frames", report.frames},
                    {"frame_rate", to_string(report.frame_rate)},
                    {"from", json_time(report.from)},
                    {"to", json_time(report.to)},
                    {"bytes", report.bytes},
                    {"columns", report.grid.layout.width},
                    {"rows", report.grid.layout.height},
                    {"tile_width", report.grid.tile.width},
                    {"tile_height", report.grid.tile.height},
                    {"lost_sound_bytes", report.lost_sound}};
  json["streams"] = ordered_json::array();
  for (std::size_t i = 0; i < report.streams.size(); ++i) json["streams"].push_back(stream_json(report, i));
  return json;
}

std::string streams_table(const MosaicReport& report) {
  Table table({{"STREAM"},
               {"SHOWN", Align::kRight},
               {"PASSED OVER", Align::kRight},
               {"LATE", Align::kRight},
               {"UNDECODABLE", Align::kRight},
               {"NO SIGNAL", Align::kRight},
               {"GAPS", Align::kRight}});
  for (const auto& one : report.streams) {
    auto count = [](std::uint64_t number) { return show_count(static_cast<std::int64_t>(number)); };
    table.add_row({one.stream, count(one.tile.shown), count(one.frames.passed_over + one.frames.backwards),
                   count(one.tile.late), count(one.undecodable),
                   fmt::format("{:.1f} s", seconds_of(one.tile.blank, report.frame_rate)), count(one.gaps)});
  }
  return table.to_string();
}

std::string summary(const SeveralCommand& command, const MosaicReport& report) {
  auto target = command.output == "-" ? std::string("standard output") : printable(command.output);
  auto text =
      fmt::format("{} streams -> {}: {} frames, {}x{} at {:.4g} a second, {} to {}, {} of {}\n",
                  report.streams.size(), target, show_count(static_cast<std::int64_t>(report.frames)),
                  report.grid.canvas.width, report.grid.canvas.height, report.frame_rate.to_double(),
                  show_time(report.from), show_time(report.to), format_bytes(report.bytes), report.format);
  text += streams_table(report);
  for (const auto& one : report.streams) {
    if (one.absences.empty()) continue;
    text += fmt::format("\n{} is not whole: {} gaps.\n\n{}", printable(one.stream), one.gaps,
                        absences_table(one.absences));
  }
  return text;
}

aggregator::MosaicOptions options_of(const SeveralCommand& command, payload::BlobSource& blobs) {
  const auto& said = command.options;
  aggregator::MosaicOptions options;
  options.streams = command.streams;
  options.output = command.output;
  options.format = command.format;
  options.canvas = said.size;
  options.layout = said.layout;
  options.frame_rate = said.frame_rate;
  options.labels = !said.no_labels;
  options.max_bytes = said.waiting_bytes;
  options.blobs = &blobs;
  options.follow = command.follow;
  auto heard = std::ranges::find(command.streams, said.sound, &aggregator::Selection::stream);
  if (heard != command.streams.end()) options.sound = heard - command.streams.begin();
  return options;
}

}  // namespace

Result<int> run_mosaic(const SeveralCommand& command, Log& log, payload::BlobSource& blobs,
                       const Environment& environment) {
  bool quiet = command.messages.quiet;
  ProgressBoard board(environment.clock, progress_options(quiet), print_note);
  auto line = board.add("mosaic");
  aggregator::MosaicEvents events;
  events.on_ready = [&] {
    if (!quiet) print_note(fmt::format("following {} streams\n", command.streams.size()));
  };
  events.on_absence = [&](const std::string& stream, const aggregator::Absence& absence) {
    print_note(fmt::format("gap in {}: {}, {} to {}: {}\n", printable(stream), to_string(absence.cause),
                           show_time(absence.from), show_time(absence.to), absence.reason));
  };
  events.on_progress = [&](const aggregator::MosaicProgress& progress) {
    board.update(line, ProgressState{progress.bytes, progress.fraction, {}});
  };
  auto report =
      aggregator::make_mosaic(log, environment.clock, options_of(command, blobs), events, environment.stop);
  board.close();
  if (!report) return tl::unexpected(report.error());
  if (command.messages.json) print_result(report_json(command, *report).dump(2) + "\n");
  if (!report->whole() || !(quiet || command.messages.json)) print_note(summary(command, *report));
  if (report->interrupted) return kInterrupted;
  return report->whole() ? kWhole : kNotWhole;
}

}  // namespace gopline::cli
