#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "analyzer/analyze_streams.h"
#include "cli/analyzers.h"
#include "cli/answer_requests.h"
#include "cli/blob_stores.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/display_width.h"
#include "cli/enrichment_words.h"
#include "cli/exit_codes.h"
#include "cli/frame_words.h"
#include "cli/later_stop.h"
#include "cli/log_factory.h"
#include "cli/options.h"
#include "cli/pipeline_config.h"
#include "cli/steady_memory.h"
#include "cli/table.h"
#include "cli/text_forms.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kAnalyzeExamples =
    "  gopline analyze --analyzer motion                            every stream, as it is made\n"
    "  gopline analyze --analyzer motion:sensitivity=0.7,min_time=500ms --streams 'site-7/*'\n"
    "  gopline analyze --analyzer 'motion:zone=door@0.1:0.2;0.4:0.2;0.4:0.9;0.1:0.9' --streams lobby\n"
    "  gopline analyze --analyzer 'objects:model=yolov8n.onnx,names=coco.names,class=person,size=640x640'\n"
    "  gopline analyze --analyzer scene --streams 'site-7/*'        cameras that are covered, blurred, "
    "turned\n"
    "  gopline analyze --analyzer audio:every=60s --streams 'hall-*'  loudness, silence, sudden noise\n"
    "  gopline analyze --analyzer 'exec:format=jpeg,size=640x0,run=python3 detect.py' --frames 2\n"
    "  gopline analyze --analyzer 'objects:model=yolov8n.onnx,names=coco.names' --requests   pictures that "
    "are "
    "sent (gopline ask)\n"
    "  gopline analyze --analyzer motion --until-end --group again  what is there now, once more\n"
    "  gopline analyze --pipeline pipeline.yaml --enrich sites.csv  several, of which one decides what "
    "another "
    "sees\n\n"
    "Workers of one group share the streams: start more of them, on any machine; when one dies, its streams "
    "move to\n"
    "the others. The group follows from --analyzer and --streams unless --group names it. What is found goes "
    "to the\n"
    "log, and `gopline events` shows it. docs/analyzers.md has the analyzers and their options.\n";

struct AnalyzeCommand {
  LogOptions log;
  BlobOptions blobs;
  OutputOptions output;
  std::string analyzer, pipeline;
  std::vector<std::string> tables;
  std::string from = "earliest";
  std::string frames;
  std::string lag = "block";
  bool no_thumbnails = false;
  std::uint64_t thumbnail_inline = analyzer::ThumbnailOptions{}.most_bytes;
  RequestCliOptions requests;
  analyzer::AnalyzeOptions analyze;
};

std::string default_group(const record::AnalyzerIdentity& identity, std::vector<std::string> patterns) {
  std::ranges::sort(patterns);
  auto group =
      fmt::format("gopline-analyze {}-{}.{}", identity.name, identity.version, identity.configuration);
  for (const auto& pattern : patterns) group += " " + pattern;
  return group;
}

Result<StartPosition> first_start_of(const std::string& from) {
  if (from == "earliest") return StartPosition::beginning();
  if (from == "latest") return StartPosition::end();
  GOPLINE_ASSIGN(auto time, parse_rfc3339(from));
  return StartPosition::at(time);
}

// What one worker looks with.
struct Looking {
  std::unique_ptr<analyzer::AnalyzerKind> kind;
  std::vector<TableWords> tables;
};

Result<Looking> looking_of(const AnalyzeCommand& command, const Clock& clock) {
  Looking looking;
  if (command.pipeline.empty()) {
    GOPLINE_ASSIGN(looking.kind, make_analyzer_kind(command.analyzer));
  } else {
    GOPLINE_ASSIGN(auto config, read_pipeline_config(command.pipeline));
    config.pipeline.waits_for_all = command.analyze.until_end;
    GOPLINE_ASSIGN(looking.kind, analyzer::make_pipeline_kind(std::move(config.pipeline), clock));
    looking.tables = std::move(config.tables);
  }
  for (const auto& words : command.tables) {
    GOPLINE_ASSIGN(auto table, parse_table_words(words));
    looking.tables.push_back(std::move(table));
  }
  return looking;
}

ordered_json stages_json(const analyzer::StageCounts& stages) {
  auto json = ordered_json::array();
  for (const auto& [name, count] : stages) {
    json.push_back({{"stage", name},
                    {"frames_shown", count.shown},
                    {"frames_passed_over", count.passed_over},
                    {"frames_missed", count.missed}});
  }
  return json;
}

ordered_json report_json(const AnalyzeCommand& command, const analyzer::AnalyzerKind& kind,
                         const analyzer::AnalyzeReport& report) {
  const auto& identity = kind.identity();
  ordered_json json{
      {"analyzer",
       {{"name", identity.name}, {"version", identity.version}, {"configuration", identity.configuration}}},
      {"group", command.analyze.group},
      {"whole", report.whole()},
      {"exactly_once", report.exactly_once}};
  json["streams"] = ordered_json::array();
  for (const auto& [stream, one] : report.streams) {
    json["streams"].push_back(
        {{"stream", stream},
         {"segments", one.analysis.segments},
         {"frames_decoded", one.analysis.decoded},
         {"frames_analyzed", one.analysis.analyzed},
         {"packets_undecodable", one.analysis.undecodable},
         {"runs", one.analysis.runs},
         {"duration_seconds", static_cast<double>(one.analysis.footage.count()) / 1e6},
         {"events", one.events},
         {"event_records", one.records},
         {"gaps", one.gaps},
         {"segments_lost", one.lost},
         {"segments_skipped", one.skipped},
         {"segments_keys_only", one.keys_only},
         {"segments_dead", one.dead},
         {"attempts_repeated", one.repeated},
         {"thumbnails_elsewhere", one.thumbnails_elsewhere},
         {"thumbnails_smaller", one.analysis.thumbnails.smaller},
         {"thumbnails_left_out", one.analysis.thumbnails.left_out + one.thumbnails_refused}});
    if (!one.analysis.stages.empty()) json["streams"].back()["stages"] = stages_json(one.analysis.stages);
  }
  if (command.analyze.enricher) {
    json["enrichment"] = ordered_json::array();
    for (const auto& table : command.analyze.enricher->counts()) {
      json["enrichment"].push_back(
          {{"table", table.table}, {"joined", table.joined}, {"unknown", table.unknown}});
    }
  }
  return json;
}

std::string outcome_of(const analyzer::AnalyzedStream& one) {
  std::string text;
  auto add = [&](std::int64_t count, std::string_view what) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  };
  add(one.lost, "segments lost");
  add(one.dead, "given up");
  add(one.analysis.undecodable, "packets undecodable");
  add(one.skipped, "passed over");
  add(one.keys_only, "key frames alone");
  for (const auto& [name, count] : one.analysis.stages) add(count.missed, "without " + name);
  return text.empty() ? "analyzed" : text;
}

std::string report_table(const analyzer::AnalyzeReport& report) {
  Table table({{"STREAM"},
               {"SEGMENTS", Align::kRight},
               {"DURATION", Align::kRight},
               {"DECODED", Align::kRight},
               {"ANALYZED", Align::kRight},
               {"EVENTS", Align::kRight},
               {"GAPS", Align::kRight},
               {"OUTCOME"}});
  for (const auto& [stream, one] : report.streams) {
    table.add_row({printable(stream), show_count(one.analysis.segments),
                   format_duration(one.analysis.footage), show_count(one.analysis.decoded),
                   show_count(one.analysis.analyzed), show_count(one.events), show_count(one.gaps),
                   outcome_of(one)});
  }
  return table.to_string();
}

Result<int> answer(const AnalyzeCommand& command, const analyzer::AnalyzerKind& kind,
                   const Environment& environment) {
  const auto& options = command.analyze;
  analyzer::RequestOptions worker;
  worker.group = options.group;
  GOPLINE_ASSIGN(worker.first_start, first_start_of(command.from));
  worker.until_end = options.until_end;
  worker.session_timeout = options.session_timeout;
  worker.member_id = options.member_id;
  return run_requests(command.requests, std::move(worker), kind, command.log, command.output, environment);
}

Result<int> run(AnalyzeCommand command, const Environment& environment) {
  auto& options = command.analyze;
  std::optional<SteadyMemory> memory;
  if (!options.until_end) memory.emplace();
  GOPLINE_ASSIGN(auto looking, looking_of(command, environment.clock));
  const auto& kind = looking.kind;
  if (command.requests.are_answered) return answer(command, *kind, environment);
  GOPLINE_ASSIGN(options.topic_namespace, namespace_of(command.log));
  GOPLINE_ASSIGN(options.first_start, first_start_of(command.from));
  if (options.group.empty()) options.group = default_group(kind->identity(), options.patterns);
  if (!command.frames.empty()) options.frames = frames_of(command.frames);
  if (command.no_thumbnails) options.thumbnails.most_width = 0;
  for (auto policy : {analyzer::LagPolicy::kKeyOnly, analyzer::LagPolicy::kSkipToKey}) {
    if (to_string(policy) == command.lag) options.lag = policy;
  }
  BlobStores blobs(command.blobs);
  options.blobs = &blobs;
  GOPLINE_ASSIGN(auto thumbnail_store, blobs.for_writing());
  options.thumbnail_store = thumbnail_store.get();
  options.thumbnails.by_reference = thumbnail_store != nullptr;
  options.thumbnails.most_bytes = command.thumbnail_inline;
  LaterStop stop_of_the_log(environment.stop, kStopGrace);
  GOPLINE_ASSIGN(auto log, open_log(command.log, LogUse::kDerive, stop_of_the_log.token()));
  GOPLINE_ASSIGN(auto enricher, make_enricher(*log, looking.tables));
  options.enricher = enricher.get();
  bool quiet = command.output.quiet;
  analyzer::AnalyzeEvents events;
  events.on_ready = [&] {
    if (!quiet) {
      print_note(fmt::format("analyzing {} with {}, as group '{}'\n", fmt::join(options.patterns, " "),
                             kind->identity().name, options.group));
    }
  };
  auto report = analyzer::analyze_streams(*log, environment.clock, *kind, options, events, environment.stop);
  if (!report) return tl::unexpected(report.error());
  if (command.output.json) {
    print_result(report_json(command, *kind, *report).dump() + "\n");
  } else if (!quiet) {
    print_result(report_table(*report));
  }
  if (report->interrupted) return kInterrupted;
  return report->whole() ? kWhole : kNotWhole;
}

void check(const AnalyzeCommand& command) {
  if (command.analyzer.empty() == command.pipeline.empty())
    throw CLI::ValidationError("--analyzer", "what to look for? --analyzer NAME or --pipeline FILE");
  if (!command.pipeline.empty() && !command.frames.empty())
    throw CLI::ValidationError("--frames", "in a pipeline each stage has `frames:` of its own");
  if (command.requests.are_answered && !command.tables.empty())
    throw CLI::ValidationError("--enrich", "is for events; answers to --requests have none");
  SystemClock clock;
  if (auto looking = looking_of(command, clock); !looking)
    throw CLI::ValidationError(command.pipeline.empty() ? "--analyzer" : "--pipeline",
                               looking.error().message);
  if (!first_start_of(command.from))
    throw CLI::ValidationError(
        "--from", "'" + command.from + "': earliest, latest, or a time like 2026-11-22T18:30:00Z");
  if (!command.frames.empty() && !frames_of(command.frames))
    throw CLI::ValidationError("--frames",
                               "'" + command.frames + "': all, key, or so many a second, like 2 or 0.5");
}

void add_options(CLI::App& command, AnalyzeCommand& options) {
  auto& analyze = options.analyze;
  command
      .add_option("--analyzer", options.analyzer,
                  "What to look for, and how: NAME[:key=value[,key=value...]]")
      ->type_name("NAME[:OPTIONS]");
  command
      .add_option("--pipeline", options.pipeline,
                  "Several analyzers, of which one decides what another sees: docs/pipeline.yaml")
      ->type_name("FILE");
  command
      .add_option("--enrich", options.tables,
                  "Add to events what a table says of their stream, or of their zone, class, track; several")
      ->type_name("[BY=]FILE|[BY=]topic:TOPIC");
  command
      .add_option("--streams", analyze.patterns,
                  "The streams to analyze: names, or patterns with * ? [...]; several, or said again (*)")
      ->type_name("PATTERN");
  add_request_options(command, options.requests);
  add_log_options(command, options.log);
  add_blob_options(command, options.blobs);
  command
      .add_option("--from", options.from,
                  "Where a new group begins: earliest, latest, or a time of writing (earliest)")
      ->type_name("WHEN");
  command.add_flag("--until-end", analyze.until_end, "End when everything that is there now is analyzed");
  command
      .add_option("--frames", options.frames,
                  "Which pictures: all, key, or so many a second (the analyzer's wish)")
      ->type_name("all|key|N");
  command.add_option("--group", analyze.group, "Workers of the same group share the streams")
      ->type_name("NAME");
  command
      .add_option("--member", analyze.member_id,
                  "This worker's name in the group: started again, it has its streams at once")
      ->type_name("NAME");
  command
      .add_option(
          "--lag", options.lag,
          "What a worker does that is behind: block (analyze everything), key-only, skip-to-key (block)")
      ->check(CLI::IsMember({"block", "key-only", "skip-to-key"}));
  add_duration(command, "--lag-limit", analyze.lag_limit,
               "How long after its writing a segment is late (10s)");
  command
      .add_option("--thumbnail-width", analyze.thumbnails.most_width,
                  "So many pixels; an event's picture is made smaller")
      ->check(CLI::Range(0, 1 << 14))
      ->type_name("N")
      ->capture_default_str();
  add_bytes(command, "--thumbnail-inline", options.thumbnail_inline,
            "Larger thumbnails lie in --blobs, and events refer to them; without it they are made smaller")
      ->default_str("24kB");
  command.add_flag("--no-thumbnails", options.no_thumbnails, "Events without their small pictures");
  add_duration(command, "--patience", analyze.patience,
               "Wait so long for what is missing of a segment (30s)");
  add_duration(command, "--session-timeout", analyze.session_timeout,
               "A worker that is silent for so long loses its streams to the others (30s)");
  add_json_option(command, options.output);
  add_verbosity_options(command, options.output);
  add_log_format_option(command, options.output);
  add_footer(command, kAnalyzeExamples);
}

}  // namespace

void add_analyze_command(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<AnalyzeCommand>();
  auto* command =
      root.add_subcommand("analyze", "Look for motion and whatever else in streams, as they are made");
  add_options(*command, *options);
  command->callback([options, &chosen] {
    if (options->analyze.patterns.empty()) options->analyze.patterns = {"*"};
    check(*options);
    chosen = [options](const Environment& environment) {
      apply_verbosity(options->output);
      auto code = run(*options, environment);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace gopline::cli
