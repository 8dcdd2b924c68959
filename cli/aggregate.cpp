#include <memory>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "aggregator/aggregate.h"
#include "aggregator/follow_stream.h"
#include "cli/absences.h"
#include "cli/blob_stores.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/display_width.h"
#include "cli/exit_codes.h"
#include "cli/follow_report.h"
#include "cli/live_outputs.h"
#include "cli/log_factory.h"
#include "cli/options.h"
#include "cli/reader_telemetry.h"
#include "cli/several_streams.h"
#include "cli/steady_memory.h"
#include "cli/stream_summary.h"
#include "cli/table.h"
#include "cli/text_forms.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kAggregateExamples =
    "  gopline aggregate lobby --output lobby.mp4      the newest epoch, as it was split\n"
    "  gopline aggregate lobby --output lobby.mkv --epoch all\n"
    "  gopline aggregate lobby --output part.mp4 --from 2026-11-22T18:30:00Z --to 2026-11-22T18:35:00Z\n"
    "  gopline aggregate lobby --output live.mp4 --format fmp4   fragmented MP4: the stored bytes, "
    "untouched\n"
    "  gopline aggregate lobby --output - | ffplay -\n"
    "  gopline aggregate lobby --follow --output - | ffplay -    as it is being made, until Ctrl-C\n"
    "  gopline aggregate lobby --follow --output lobby.mkv --stats --metrics 127.0.0.1:9101\n"
    "  gopline aggregate lobby --follow --output srt://recorder:9000        MPEG-TS; udp://, rtmp://, "
    "rtsp:// too\n"
    "  gopline aggregate lobby --follow --serve rtsp://127.0.0.1:8554/lobby  for players that pull\n"
    "  gopline aggregate gate yard lobby --output wall.mp4        side by side, on one time axis\n"
    "  gopline aggregate gate yard --follow --layout 2x1 --size 1280x360 --output - | ffplay -\n"
    "  gopline aggregate gate yard --join --output both.mkv       as tracks of one file, in step\n\n"
    "Whole segments are written: from the key frame at or before --from to the segment that covers --to. The "
    "format\n"
    "follows from the file's extension; standard output gets fragmented MP4. What is missing is listed, and "
    "the\n"
    "output goes on at the next key frame. When it fails, no output file is left.\n"
    "With --follow it begins at the next key frame, or at --from, and keeps the stream's pace, as far behind "
    "as its\n"
    "arrivals ask for: so long it waits for what is missing, and then states a gap. A file gets at once what "
    "follows\n"
    "on what it has (--pace arrival). What is split with --latency low comes out in its parts.\n"
    "What goes into the network leaves at its pace. A receiver that goes away is connected to again, and "
    "what is\n"
    "dropped meanwhile is counted; without --follow it is an error.\n"
    "Several streams make a mosaic: decoded, and encoded again. A tile shows its stream's frame of that "
    "time, "
    "or since\n"
    "when there is no signal. --from and --to are exact there.\n";

struct AggregateCommand {
  LogOptions log;
  BlobOptions blobs;
  LiveOutputOptions live;
  OutputOptions output;
  std::optional<aggregator::EpochSelection> epoch;
  aggregator::AggregateOptions aggregate;
  bool follow = false;
  Duration min_delay{}, max_delay = aggregator::PlayoutDelayOptions{}.most;
  std::optional<Timestamp> until;
  std::optional<bool> paced;  // nullopt: unless the output is a file
  bool stats = false;
  std::string metrics;  // HOST:PORT; empty: nowhere
  std::vector<std::string> streams;
  bool several = false;  // one may be several: a mosaic of one tile
  SeveralOptions of_several;
};

// What a receiver has had; with nothing dropped of it.
aggregator::LiveOutputStats received(const AggregateCommand& command) {
  const auto* receiver = command.aggregate.receiver;
  return receiver ? receiver->stats() : aggregator::LiveOutputStats{};
}

ordered_json report_json(const AggregateCommand& command, const aggregator::AggregateReport& report) {
  ordered_json json{{"stream", command.aggregate.selection.stream},
                    {"output", command.aggregate.output},
                    {"format", report.format},
                    {"passed_through", report.passed_through},
                    {"whole", report.whole()},
                    {"segments", report.segments},
                    {"packets", report.packets},
                    {"bytes", report.bytes},
                    {"payload_bytes_read", report.payload_bytes_read},
                    {"blob_bytes_read", report.blob_bytes_read},
                    {"duplicates", report.duplicates},
                    {"late", report.late},
                    {"foreign_records", report.foreign_records},
                    {"skipped_packets", report.skipped_packets},
                    {"leading_packets", report.leading_packets}};
  if (command.aggregate.receiver) {
    auto stats = received(command);
    json["receiver"] = {{"connections", stats.connections},
                        {"sent_packets", stats.sent_packets},
                        {"sent_bytes", stats.sent_bytes},
                        {"dropped_packets", stats.dropped_packets},
                        {"dropped_bytes", stats.dropped_bytes},
                        {"left_out_packets", stats.left_out_packets},
                        {"slow_client_packets", stats.slow_client_packets}};
  }
  json["epochs"] = ordered_json::array();
  for (const auto& epoch : report.epochs) {
    ordered_json one{{"epoch", epoch.epoch.value},
                     {"segments", epoch.segments},
                     {"place_seconds", static_cast<double>(epoch.place_us) / 1e6},
                     {"placed_by_clock", epoch.placed_by_clock}};
    one["ended"] = epoch.ended ? ordered_json(record::to_string(*epoch.ended)) : ordered_json();
    json["epochs"].push_back(std::move(one));
  }
  json["gaps"] = ordered_json::array();
  for (const auto& absence : report.absences) json["gaps"].push_back(absence_json(absence));
  return json;
}

// What a person wants to know at the end; on standard error, because standard output may carry the video.
std::string summary(const AggregateCommand& command, const aggregator::AggregateReport& report,
                    Duration elapsed) {
  auto target =
      command.aggregate.output == "-" ? std::string("standard output") : printable(command.aggregate.output);
  auto text = fmt::format("{} -> {}: {} segments, {} epochs, {} of {}",
                          printable(command.aggregate.selection.stream), target, show_count(report.segments),
                          report.epochs.size(), format_bytes(report.bytes), report.format);
  if (auto rate = format_rate(report.bytes, elapsed); !rate.empty()) text += fmt::format(", {}", rate);
  text += "\n";
  if (report.duplicates + report.late + report.foreign_records > 0) {
    text += fmt::format("passed over: {} duplicate chunks, {} late segments, {} foreign records\n",
                        report.duplicates, report.late, report.foreign_records);
  }
  if (auto stats = received(command); stats.dropped_packets + stats.left_out_packets > 0) {
    text += fmt::format("not sent: {} packets ({}) while nobody took them, {} of tracks that are left out\n",
                        show_count(stats.dropped_packets), format_bytes(stats.dropped_bytes),
                        show_count(stats.left_out_packets));
  }
  if (!report.whole()) {
    text += fmt::format("\nNot whole: {} gaps; {} packets before the next key frame were left out.\n\n",
                        report.absences.size(), report.skipped_packets + report.leading_packets);
    text += absences_table(report.absences);
  }
  return text;
}

Result<int> follow(const AggregateCommand& command, aggregator::AggregateOptions options, Log& log,
                   const Environment& environment) {
  const auto& stream = command.aggregate.selection.stream;
  GOPLINE_ASSIGN(auto telemetry, ReaderTelemetry::start(command.metrics));
  aggregator::FollowOptions following{std::move(options), command.until, {}, {}, telemetry->stream(stream)};
  following.playout.delay.least = command.min_delay;
  following.playout.delay.most = command.max_delay;
  following.paced = command.paced;
  bool quiet = command.output.quiet;
  ProgressBoard board(environment.clock, progress_options(quiet), print_note);
  auto line = board.add(stream);
  aggregator::FollowEvents events;
  events.on_ready = [&] {
    if (!quiet) board.message(fmt::format("following {}", printable(stream)));
  };
  events.on_absence = [&](const aggregator::Absence& absence) { board.message(gap_line(stream, absence)); };
  events.on_stats = [&](const aggregator::FollowStats& stats) {
    telemetry->update(stream, stats);
    board.update(line, ProgressState{stats.bytes, std::nullopt, {}, command.stats ? stats_row(stats) : ""});
  };
  auto started = environment.clock.steady_now();
  auto report = aggregator::follow_stream(log, environment.clock, following, events, environment.stop);
  board.close();
  if (!report) return tl::unexpected(report.error());
  auto elapsed = std::chrono::duration_cast<Duration>(environment.clock.steady_now() - started);
  if (command.output.json) {
    auto json = report_json(command, report->output);
    json["whole"] = report->whole();
    json["follow"] = stats_json(report->stats);
    print_result(json.dump(2) + "\n");
  }
  bool whole = report->whole() && received(command).dropped_packets == 0;
  if (!whole || !(quiet || command.output.json)) print_note(summary(command, report->output, elapsed));
  if (command.stats && !command.output.json) print_note(stats_text(report->stats));
  if (report->interrupted) return kInterrupted;
  return whole ? kWhole : kNotWhole;
}

Result<int> run_several(const AggregateCommand& command, const aggregator::AggregateOptions& options,
                        Log& log, payload::BlobSource& blobs, const Environment& environment) {
  SeveralCommand several{command.of_several, {}, options.output, options.format, command.output, {}};
  for (const auto& stream : command.streams) {
    several.streams.push_back(options.selection);
    several.streams.back().stream = stream;
  }
  if (command.of_several.join) return run_join(several, log, blobs, environment);
  if (command.follow) {
    several.follow.emplace();
    several.follow->until = command.until;
    several.follow->playout.delay.least = command.min_delay;
    several.follow->playout.delay.most = command.max_delay;
  }
  return run_mosaic(several, log, blobs, environment);
}

// Numbers of records and of epochs are a stream's own.
void check_several(const CLI::App& command, const AggregateCommand& options) {
  check_several_options(command, options.of_several, options.streams, options.follow);
  const auto& selection = options.aggregate.selection;
  for (const auto* point : {&selection.from, &selection.to}) {
    if (*point && std::holds_alternative<Offset>(**point))
      throw CLI::ValidationError(point == &selection.from ? "--from" : "--to",
                                 "takes a time where there are several streams");
  }
  if (options.epoch && options.epoch->kind == aggregator::EpochSelection::Kind::kOne)
    throw CLI::ValidationError("--epoch", "takes latest or all where there are several streams");
  for (const auto* name : {"--pace", "--stats", "--metrics"}) {
    if (command.count(name) > 0) throw CLI::ValidationError(name, "is for one stream");
  }
  bool to_network = !options.live.serve.empty() || options.aggregate.output.find("://") != std::string::npos;
  if (to_network) throw CLI::ValidationError("--output", "takes a file or - where there are several streams");
}

void check_follow_options(const CLI::App& command, const AggregateCommand& options) {
  if (options.follow) {
    for (const auto* name : {"--to", "--epoch"}) {
      if (command.count(name) > 0)
        throw CLI::ValidationError(name, "does not go with --follow; --until ends it");
    }
    if (options.min_delay > options.max_delay)
      throw CLI::ValidationError("--min-delay", "is longer than --max-delay");
    return;
  }
  for (const auto* name : {"--min-delay", "--max-delay", "--until", "--pace", "--stats", "--metrics"}) {
    if (command.count(name) > 0) throw CLI::ValidationError(name, "goes with --follow");
  }
}

void check_output_options(const CLI::App& command, const AggregateCommand& options) {
  bool serves = !options.live.serve.empty();
  if (command.count("--output") + (serves ? 1 : 0) != 1)
    throw CLI::ValidationError("--output", "give either --output or --serve");
  bool is_url = options.aggregate.output.find("://") != std::string::npos;
  if ((serves || is_url) && command.count("--format") > 0)
    throw CLI::ValidationError("--format", "follows from the URL; it goes with files");
}

Result<int> run(AggregateCommand command, const Environment& environment) {
  std::optional<SteadyMemory> memory;
  if (command.follow) memory.emplace();
  GOPLINE_ASSIGN(auto receiver, open_receiver(command.aggregate.selection.stream, command.aggregate.output,
                                              command.live, command.follow, environment));
  if (receiver) {
    command.aggregate.receiver = receiver->output.get();
    command.aggregate.output = receiver->name;
    command.aggregate.format = receiver->format;
  }
  auto options = command.aggregate;
  GOPLINE_ASSIGN(options.selection.topic_namespace, namespace_of(command.log));
  BlobStores blobs(command.blobs);
  options.blobs = &blobs;
  if (options.output == "-" && isatty(STDOUT_FILENO) == 1) {
    return fail(ErrorCode::kInvalidArgument,
                "standard output is a terminal: redirect it, or give --output a file");
  }
  if (options.output == "-" && options.format.empty()) options.format = "fmp4";
  // A stretch of time may lie in any epoch; without one, the newest is what a person means.
  options.selection.epochs = command.epoch.value_or(
      options.selection.bounded() ? aggregator::EpochSelection::all() : aggregator::EpochSelection::latest());
  GOPLINE_ASSIGN(auto log, open_log(command.log, LogUse::kRead, environment.stop));
  if (command.several) return run_several(command, options, *log, blobs, environment);
  if (command.follow) return follow(command, std::move(options), *log, environment);
  ProgressBoard board(environment.clock, progress_options(command.output.quiet), print_note);
  auto line = board.add(options.selection.stream);
  auto started = environment.clock.steady_now();
  auto report = aggregator::aggregate(
      *log, options,
      [&](const aggregator::AggregateProgress& progress) {
        ProgressState state{progress.bytes, std::nullopt, {}};
        if (progress.bytes_planned > 0) {
          state.fraction = static_cast<double>(progress.bytes) / static_cast<double>(progress.bytes_planned);
        } else if (progress.segments_planned > 0) {
          state.fraction =
              static_cast<double>(progress.segments) / static_cast<double>(progress.segments_planned);
        }
        board.update(line, state);
      },
      environment.stop);
  board.close();
  if (!report) return tl::unexpected(report.error());
  auto elapsed = std::chrono::duration_cast<Duration>(environment.clock.steady_now() - started);
  if (command.output.json) print_result(report_json(command, *report).dump(2) + "\n");
  bool whole = report->whole() && received(command).dropped_packets == 0;
  if (!whole || !(command.output.quiet || command.output.json))
    print_note(summary(command, *report, elapsed));
  return whole ? kWhole : kNotWhole;
}

}  // namespace

void add_aggregate_command(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<AggregateCommand>();
  auto* command = root.add_subcommand("aggregate", "Put a stream together again, or several side by side");
  add_streams_argument(*command, options->streams);
  command
      ->add_option(
          "-o,--output", options->aggregate.output,
          "The file to write, - for standard output, or a receiver: udp://, srt://, rtmp://, rtsp://")
      ->type_name("FILE|URL");
  add_live_output_options(*command, options->live);
  add_log_options(*command, options->log);
  add_blob_options(*command, options->blobs);
  add_point_option(*command, "--from", options->aggregate.selection.from,
                   "Begin at this capture time or record offset");
  add_point_option(*command, "--to", options->aggregate.selection.to,
                   "End before this capture time or record offset");
  add_epoch_option(*command, options->epoch,
                   "Which epochs. Default: latest, or all where --from or --to is given");
  command
      ->add_option("--format", options->aggregate.format,
                   "mp4, fmp4, mkv, ts, nut or what else FFmpeg writes")
      ->type_name("F");
  command->add_flag("--follow", options->follow, "Go on with what is written from now on, until Ctrl-C");
  add_duration(*command, "--min-delay", options->min_delay, "--follow: stay at least so far behind");
  add_duration(*command, "--max-delay", options->max_delay,
               "--follow: wait at most so long for what is missing (10s)");
  add_time(*command, "--until", options->until, "--follow: end before this capture time");
  command
      ->add_option_function<std::string>(
          "--pace", [options](const std::string& pace) { options->paced = pace == "timeline"; },
          "--follow: put out when it is due, or when it comes (files)")
      ->check(CLI::IsMember({"timeline", "arrival"}))
      ->type_name("timeline|arrival");
  command->add_flag("--stats", options->stats, "--follow: say how it goes: delays, buffer, gaps, lag");
  command
      ->add_option("--metrics", options->metrics,
                   "--follow: serve /metrics for Prometheus, and /healthz (docs/metrics.md)")
      ->type_name("HOST:PORT");
  add_several_options(*command, options->of_several);
  add_json_option(*command, options->output);
  add_verbosity_options(*command, options->output);
  add_footer(*command, kAggregateExamples);
  command->callback([options, command, &chosen] {
    check_follow_options(*command, *options);
    options->several = are_several(*command, options->streams);
    if (options->several) check_several(*command, *options);
    options->aggregate.selection.stream = options->streams.front();
    check_output_options(*command, *options);
    if (options->output.json && options->aggregate.output == "-") {
      throw CLI::ValidationError("--json", "standard output carries the video: give --output a file");
    }
    chosen = [options](const Environment& environment) {
      apply_verbosity(options->output);
      auto code = run(*options, environment);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace gopline::cli
