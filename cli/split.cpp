#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/blob_stores.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/exit_codes.h"
#include "cli/fleet_run.h"
#include "cli/live_options.h"
#include "cli/log_factory.h"
#include "cli/options.h"
#include "cli/picture_options.h"
#include "cli/source_names.h"
#include "cli/split_run.h"
#include "cli/steady_memory.h"
#include "cli/strategy_report.h"
#include "cli/telemetry.h"

namespace gopline::cli {
namespace {

constexpr const char* kSplitExamples =
    "  gopline split lobby.mp4                           into the stream 'lobby' of ./gopline-data\n"
    "  gopline split *.mkv --log /var/lib/gopline        several at once, each its own stream\n"
    "  gopline split a/cam.mp4 b/cam.mp4 --stream site-a/cam --stream site-b/cam\n"
    "  ffmpeg -i URL -c copy -f mpegts - | gopline split - --stream door\n"
    "  gopline split night.ts --start-time 2026-11-22T18:30:00Z --digest sha256\n"
    "  gopline split door.mp4 --retention 30d            a log that is made now keeps a month\n"
    "  gopline split rtsp://camera/1 --stream gate --credentials gate.login   live, until Ctrl-C\n"
    "  gopline split rtsp://camera/1 --latency low       parts of 300 ms leave while the GOP is still open\n"
    "  gopline split --config cameras.yaml               a fleet; SIGHUP restarts what has changed in the "
    "file\n"
    "  gopline split clip.mp4 --loop --rate realtime     a camera for tests, until Ctrl-C\n"
    "  gopline split /srv/line-4 --stream line-4 --follow   pictures (JPEG, PNG, TIFF), as they come into a "
    "folder\n"
    "  gopline split 'scans/%06d.png' --fps 2 --start-time 2026-11-22T18:30:00Z\n"
    "  gopline split clip.mp4 --blobs /srv/blobs --payload claim   the log keeps only references\n"
    "  gopline split clip.mp4 --log null:                how fast this machine splits\n\n"
    "A source is anything FFmpeg opens, or pictures: a folder, 'FOLDER/%06d.png', 'FOLDER/*.jpg'. '-' is "
    "standard input.\n"
    "Splitting into a stream that exists opens its "
    "next\n"
    "epoch. A source that fails does not stop the others.\n"
    "Live sources are connected to again after an outage, which becomes a gap in the stream.\n";

struct SplitCommand {
  LogOptions log;
  OutputOptions output;
  std::vector<std::string> sources;
  std::vector<std::string> streams;
  std::string config;   // a file of cameras, instead of sources
  std::string metrics;  // HOST:PORT; empty: nowhere
  PayloadOptions payload;
  LiveCliOptions live;
  PictureCliOptions pictures;
  splitter::SplitOptions common;  // everything but source and stream
};

int exit_code_of(const std::deque<SplitTask>& tasks) {
  int code = kWhole;
  for (const auto& task : tasks) {
    if (task.has_failed()) return kFailed;
    if (task.was_stopped()) code = kInterrupted;
    bool is_short = task.report && task.report->broken_pictures > 0;
    if (is_short && code == kWhole) code = kNotWhole;
  }
  return code;
}

bool runs_for_long(const SplitCommand& command, const std::vector<NamedSource>& sources) {
  return !command.config.empty() || command.live.live || command.pictures.follow ||
         std::any_of(sources.begin(), sources.end(),
                     [](const auto& source) { return splitter::is_live_url(source.source); });
}

Result<int> run(const SplitCommand& command, const std::vector<NamedSource>& sources,
                const Environment& environment) {
  std::optional<SteadyMemory> memory;
  if (runs_for_long(command, sources)) memory.emplace();
  GOPLINE_ASSIGN(auto log, open_log(command.log, LogUse::kWrite, environment.stop));
  auto common = command.common;
  GOPLINE_ASSIGN(common.topic_namespace, namespace_of(command.log));
  BlobStores stores(command.payload.blobs);
  GOPLINE_ASSIGN(auto blobs, stores.for_writing());
  common.payload = command.payload.strategy;
  common.blobs = blobs.get();
  ProgressBoard board(environment.clock, progress_options(command.output.quiet || command.output.json_log),
                      print_note);
  LiveSources live{command.live.live, {}, {}, command.pictures};
  GOPLINE_ASSIGN(live.options, live_options_of(command.live));
  GOPLINE_ASSIGN(live.login, source_login(command.live));
  GOPLINE_ASSIGN(auto telemetry, Telemetry::start(command.metrics));
  std::deque<SplitTask> tasks;
  if (command.config.empty()) {
    tasks = split_all(*log, common, live, sources, environment, board, *telemetry);
  } else {
    GOPLINE_ASSIGN(tasks, run_fleet(*log, command.config, {common, live.options, live.login}, environment,
                                    board, *telemetry));
  }
  board.close();
  if (command.output.json) {
    print_result(json_of(tasks, log->describe()).dump(2) + "\n");
  } else if (!command.output.quiet) {
    print_result(to_text(tasks));
    if (command.payload.explain) print_result("\n" + strategies_text(strategies_of(tasks)));
  }
  return exit_code_of(tasks);
}

void declare_cutting(CLI::App& command, splitter::SplitOptions& options) {
  add_duration(command, "--segment-duration", options.segmenter.segment_duration,
               "Cut at the first key frame after each")
      ->default_str("2s");
  add_bytes(command, "--max-segment-bytes", options.segmenter.max_segment_bytes,
            "Cut at the latest before this many bytes")
      ->default_str("16MiB");
  add_duration(command, "--max-segment-time", options.segmenter.max_segment_time,
               "Cut at the latest after this, key frame or not")
      ->default_str("10s");
  add_latency_options(command, options.segmenter);
}

// They shape topics that do not exist yet; those that do stay as they are.
void declare_topics(CLI::App& command, splitter::SplitOptions& options) {
  command.add_option("--partitions", options.partitions, "Of topics that are made now")
      ->check(CLI::Range(1, 100'000))
      ->type_name("N")
      ->capture_default_str();
  add_duration(command, "--retention", options.segment_retention.age,
               "Keep footage this long, in topics that are made now. Else for ever");
  add_bytes(command, "--retention-bytes", options.segment_retention.bytes,
            "Keep at least the newest so many of each partition, in topics that are made now. Else all");
}

}  // namespace

void add_split_command(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<SplitCommand>();
  auto* command = root.add_subcommand("split", "Split videos into a log, each into its own stream");
  auto* positional = command->add_option("SOURCE", options->sources, "Files, URLs, or - for standard input");
  positional->type_name("");
  command
      ->add_option("--stream", options->streams,
                   "The stream's id; once for each source, in order. Else the file's name")
      ->type_name("ID")
      ->allow_extra_args(false);
  command
      ->add_option(
          "--config", options->config,
          "A file of cameras (docs/cameras.yaml) instead of sources. Read again on SIGHUP and when it "
          "changes")
      ->type_name("FILE")
      ->excludes(positional);
  add_log_options(*command, options->log);
  declare_cutting(*command, options->common);
  command
      ->add_option("--rate", options->common.rate,
                   "Read as fast as possible, or as fast as the timestamps say")
      ->transform(CLI::CheckedTransformer(std::map<std::string, splitter::ReadRate>{
          {"max", splitter::ReadRate::kMax}, {"realtime", splitter::ReadRate::kRealtime}}))
      ->default_str("max")
      ->type_name("max|realtime");
  command->add_flag("--loop", options->common.loop, "Begin again at the end, until stopped");
  add_time(*command, "--start-time", options->common.start_time,
           "When the first picture was taken. Else what the file says");
  command
      ->add_option_function<std::string>(
          "--digest", [options](const std::string& name) { options->common.sha256 = name == "sha256"; },
          "Chain the segments by SHA-256, as evidence")
      ->check(CLI::IsMember({"none", "sha256"}))
      ->default_str("none")
      ->type_name("none|sha256");
  declare_topics(*command, options->common);
  add_live_options(*command, options->live);
  add_picture_options(*command, options->pictures);
  command
      ->add_option("--metrics", options->metrics,
                   "Serve /metrics for Prometheus, and /healthz, of live sources (docs/metrics.md)")
      ->type_name("HOST:PORT");
  add_log_format_option(*command, options->output);
  add_payload_options(*command, options->payload);
  add_compression_option(*command, options->common.compression);
  add_json_option(*command, options->output);
  add_verbosity_options(*command, options->output);
  add_footer(*command, kSplitExamples);
  command->callback([options, &chosen] {
    check_payload_options(options->payload);
    check_latency_options(options->common.segmenter, options->payload.strategy);
    if (options->sources.empty() && options->config.empty())
      throw CLI::RequiredError("SOURCE, or --config FILE,");
    chosen = [options](const Environment& environment) {
      apply_verbosity(options->output);
      auto sources = name_sources(options->sources, options->streams);
      if (!sources) return report_usage(sources.error(), "split");
      bool plays = options->common.loop || options->common.rate != splitter::ReadRate::kMax;
      if (auto good = check_picture_options(options->pictures, *sources, plays); !good)
        return report_usage(good.error(), "split");
      auto code = run(*options, *sources, environment);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace gopline::cli
