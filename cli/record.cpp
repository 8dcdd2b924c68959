#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "aggregator/recorder/record_streams.h"
#include "cli/blob_stores.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/display_width.h"
#include "cli/exit_codes.h"
#include "cli/later_stop.h"
#include "cli/log_factory.h"
#include "cli/options.h"
#include "cli/recorder_telemetry.h"
#include "cli/steady_memory.h"
#include "cli/table.h"
#include "cli/text_forms.h"
#include "common/base/text.h"
#include "common/media/muxer.h"

namespace gopline::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kRecordExamples =
    "  gopline record --streams 'site-7/*' --directory /srv/video\n"
    "  gopline record --streams '*' --directory /srv/video --split-every 1h --format mkv\n"
    "  gopline record --streams '*' --directory /srv/video --keep-age 30d --keep-bytes 2TB\n"
    "  gopline record --streams '*' --directory /srv/video --metrics 127.0.0.1:9102\n"
    "  gopline record --streams lobby --directory export --until-end       what is there now, and no more\n\n"
    "Files begin at full intervals of capture time (UTC), at the first key frame there, and wherever the "
    "stream does\n"
    "not go on: after a gap, with another epoch, with other codec parameters. Each has its JSON beside it: "
    "what it\n"
    "holds, and which gaps are before it. Recorders of one group share the streams; when one dies, the "
    "others "
    "take\n"
    "its streams over. The group follows from --streams unless --group names it.\n";

struct RecordCommand {
  LogOptions log;
  BlobOptions blobs;
  OutputOptions output;
  std::string from = "beginning";
  std::string format = "mp4";
  aggregator::RecordOptions record;
  std::string metrics;  // HOST:PORT; empty: nowhere
};

// So that two recorders of different streams do not share them by mistake.
std::string default_group(std::vector<std::string> patterns) {
  std::ranges::sort(patterns);
  std::string group = "gopline-record";
  for (const auto& pattern : patterns) group += " " + pattern;
  return group;
}

ordered_json recording_json(const aggregator::Recording& recording, const std::string& directory) {
  auto folder = directory + "/" + aggregator::recording_folder(recording.stream) + "/";
  ordered_json json{{"stream", recording.stream}};
  json["file"] = recording.file.empty() ? ordered_json() : ordered_json(folder + recording.file);
  json["epoch"] = recording.epoch.value;
  json["segments"] = recording.next_segment - recording.first_segment;
  json["bytes"] = recording.bytes;
  json["gaps"] = recording.gaps.size();
  return json;
}

ordered_json report_json(const RecordCommand& command, const aggregator::RecordReport& report) {
  ordered_json json{{"directory", command.record.recording.directory},
                    {"group", command.record.group},
                    {"whole", report.whole()},
                    {"removed_files", report.removed.files},
                    {"removed_bytes", report.removed.bytes}};
  json["streams"] = ordered_json::array();
  for (const auto& [stream, one] : report.streams) {
    ordered_json row{{"stream", stream},
                     {"files", one.files},
                     {"segments", one.segments},
                     {"bytes", one.bytes},
                     {"duration_seconds", static_cast<double>(one.footage.count()) / 1e6},
                     {"gaps", one.gaps}};
    row["failure"] = one.failure.empty() ? ordered_json() : ordered_json(one.failure);
    json["streams"].push_back(std::move(row));
  }
  return json;
}

std::string report_table(const aggregator::RecordReport& report) {
  Table table({{"STREAM"},
               {"FILES", Align::kRight},
               {"SEGMENTS", Align::kRight},
               {"BYTES", Align::kRight},
               {"DURATION", Align::kRight},
               {"GAPS", Align::kRight},
               {"OUTCOME"}});
  for (const auto& [stream, one] : report.streams) {
    table.add_row({printable(stream), std::to_string(one.files), std::to_string(one.segments),
                   format_bytes(one.bytes), format_duration(one.footage), std::to_string(one.gaps),
                   one.failure.empty() ? "recorded" : "behind: " + one.failure});
  }
  return table.to_string();
}

std::string recording_line(const aggregator::Recording& recording) {
  auto text = printable(recording.stream) + ": ";
  if (!recording.file.empty()) {
    text += fmt::format("{}, {} segments, {}, {}", recording.file,
                        recording.next_segment - recording.first_segment, format_bytes(recording.bytes),
                        to_string(recording.end));
  }
  for (const auto& gap : recording.gaps) {
    text += fmt::format("\n  gap before it: {}, {} to {}: {}", to_string(gap.cause), show_time(gap.from),
                        show_time(gap.to), gap.reason);
  }
  return text + "\n";
}

Result<StartPosition> start_of(const std::string& from) {
  if (from == "beginning") return StartPosition::beginning();
  if (from == "now") return StartPosition::end();
  GOPLINE_ASSIGN(auto time, parse_rfc3339(from));
  return StartPosition::at(time);
}

Result<int> run(const RecordCommand& command, const Environment& environment) {
  std::optional<SteadyMemory> memory;
  if (!command.record.until_end) memory.emplace();
  auto options = command.record;
  GOPLINE_ASSIGN(options.topic_namespace, namespace_of(command.log));
  GOPLINE_ASSIGN(options.first_start, start_of(command.from));
  BlobStores blobs(command.blobs);
  options.blobs = &blobs;
  GOPLINE_ASSIGN(auto telemetry, RecorderTelemetry::start(command.metrics));
  options.metrics = telemetry->families();
  LaterStop stop_of_the_log(environment.stop, kStopGrace);
  GOPLINE_ASSIGN(auto log, open_log(command.log, LogUse::kRead, stop_of_the_log.token()));
  bool quiet = command.output.quiet;
  aggregator::RecordEvents events;
  events.on_ready = [&] {
    if (!quiet) {
      print_note(fmt::format("recording {} into {}, as group '{}'\n", fmt::join(options.patterns, " "),
                             options.recording.directory, options.group));
    }
  };
  events.on_failure = [&](const std::string& stream, const std::string& why) {
    telemetry->tell(stream, why);
  };
  events.on_recording = [&](const aggregator::Recording& recording) {
    if (command.output.json) {
      print_result(recording_json(recording, options.recording.directory).dump() + "\n");
      static_cast<void>(finish_output());  // somebody may be waiting for it; a full disk is told at the end
      return;
    }
    if (!quiet) print_note(recording_line(recording));
  };
  auto report = aggregator::record_streams(*log, environment.clock, options, events, environment.stop);
  if (!report) return tl::unexpected(report.error());
  if (command.output.json) {
    print_result(report_json(command, *report).dump() + "\n");
  } else if (!quiet) {
    print_result(report_table(*report));
  }
  for (const auto& [stream, one] : report->streams) {
    if (!one.failure.empty()) print_error(printable(stream) + ": not recorded to its end: " + one.failure);
  }
  if (report->interrupted) return kInterrupted;
  if (report->failed()) return kFailed;
  return report->whole() ? kWhole : kNotWhole;
}

void check(RecordCommand& command) {
  auto& options = command.record;
  if (options.recording.split_every < std::chrono::seconds(1))
    throw CLI::ValidationError("--split-every", "has to be at least 1s");
  if (auto from = start_of(command.from); !from)
    throw CLI::ValidationError("--from",
                               "'" + command.from + "': beginning, now, or a time like 2026-11-22T18:30:00Z");
  options.recording.container = command.format == "mp4" ? "mp4" : "matroska";
  if (options.group.empty()) options.group = default_group(options.patterns);
}

}  // namespace

void add_record_command(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<RecordCommand>();
  auto* command = root.add_subcommand("record", "Record streams into files of ten minutes, as they are made");
  auto& record = options->record;
  command
      ->add_option("--streams", record.patterns,
                   "The streams to record: names, or patterns with * ? [...]; several, or said again")
      ->required()
      ->type_name("PATTERN");
  command
      ->add_option("-d,--directory", record.recording.directory,
                   "Where files go, in a folder for each stream")
      ->required()
      ->type_name("DIR");
  add_log_options(*command, options->log);
  add_blob_options(*command, options->blobs);
  add_duration(*command, "--split-every", record.recording.split_every,
               "How much of a stream is in a file (10min)");
  command->add_option("--format", options->format, "mp4: the stored bytes, fragmented; or mkv, remuxed (mp4)")
      ->check(CLI::IsMember({"mp4", "mkv"}));
  command
      ->add_option("--from", options->from,
                   "Where a new group begins: beginning, now, or a time of writing (beginning)")
      ->type_name("WHEN");
  command->add_flag("--until-end", record.until_end, "End when everything that is there now is recorded");
  command->add_option("--group", record.group, "Recorders of the same group share the streams")
      ->type_name("NAME");
  command
      ->add_option("--member", record.member_id,
                   "This recorder's name in the group: started again, it has its streams at once")
      ->type_name("NAME");
  add_duration(*command, "--keep-age", record.limits.age, "Remove recordings that were finished longer ago");
  add_bytes(*command, "--keep-bytes", record.limits.bytes,
            "Remove the oldest recordings of DIR beyond so much");
  add_duration(*command, "--patience", record.recording.patience,
               "Wait so long for what is missing, and for more behind the end of an interval (30s)");
  add_duration(*command, "--session-timeout", record.session_timeout,
               "A recorder that is silent for so long loses its streams to the others (15s)");
  command
      ->add_option("--metrics", options->metrics,
                   "Serve /metrics for Prometheus, and /healthz (docs/metrics.md)")
      ->type_name("HOST:PORT");
  add_json_option(*command, options->output);
  add_verbosity_options(*command, options->output);
  add_log_format_option(*command, options->output);
  add_footer(*command, kRecordExamples);
  command->callback([options, &chosen] {
    check(*options);
    chosen = [options](const Environment& environment) {
      apply_verbosity(options->output);
      auto code = run(*options, environment);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace gopline::cli
