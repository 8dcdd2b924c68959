#include <memory>
#include <optional>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/annotate_stream.h"
#include "cli/blob_stores.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/display_width.h"
#include "cli/exit_codes.h"
#include "cli/follow_report.h"
#include "cli/later_stop.h"
#include "cli/log_factory.h"
#include "cli/options.h"
#include "cli/steady_memory.h"
#include "cli/text_forms.h"
#include "common/catalog/event_feed.h"

namespace gopline::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kAnnotateExamples =
    "  gopline annotate lobby                                      its newest epoch, as lobby/annotated\n"
    "  gopline annotate lobby --class person --from 2026-11-22T18:00:00Z --to 2026-11-22T18:10:00Z\n"
    "  gopline aggregate lobby/annotated --output evening.mp4      plays and exports like any other\n"
    "  gopline annotate lobby --follow                             while it is made, until Ctrl-C\n"
    "  gopline aggregate lobby/annotated --follow --output - | ffplay -\n\n"
    "Draws what analyzers have found into the pictures, and stores them as a stream of their own: H.264, "
    "with "
    "the sound as\n"
    "it is, at the same capture times. With --follow pictures are drawn --delay after they were taken: what "
    "is told of them\n"
    "later is not in them, and is counted.\n";

struct AnnotateCommand {
  LogOptions log;
  BlobOptions blobs;
  OutputOptions output;
  std::string stream, target;
  std::optional<Timestamp> from, to;
  std::optional<aggregator::EpochSelection> epoch;
  catalog::EventQuery query;
  bool follow = false;
  Duration delay = LiveAnnotateOptions{}.delay;
  std::optional<Timestamp> until;
};

Result<catalog::EventFeed> open_annotated_events(Log& log, const record::Topics& topics,
                                                 const AnnotateCommand& command) {
  auto query = command.query;
  query.patterns = {command.stream};
  query.from_now_on = command.follow && !command.from;
  return catalog::EventFeed::open(log, topics, query);
}

// All that has been found in the stream so far; which pictures are drawn is another matter.
Result<Annotations> read_annotations(catalog::EventFeed& feed, const StopToken& stop) {
  Annotations annotations;
  std::stop_callback wake(stop, [&] { feed.wakeup(); });
  while (!feed.is_past_the_start()) {
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "stopped");
    GOPLINE_ASSIGN(auto events, feed.poll(std::chrono::seconds(1)));
    for (const auto& event : events) annotations.add(event);
  }
  return annotations;
}

ordered_json annotate_json(const AnnotateCommand& command, const AnnotateReport& report,
                           std::int64_t events) {
  return {{"stream", command.stream},
          {"target", command.target},
          {"events", events},
          {"pictures", report.pictures},
          {"pictures_marked", report.marked},
          {"sound_packets", report.sound_packets},
          {"segments", report.segments},
          {"epochs", report.epochs},
          {"gaps", report.gaps},
          {"packets_undecodable", report.undecodable}};
}

std::string annotate_text(const AnnotateCommand& command, const AnnotateReport& report, std::int64_t events) {
  return fmt::format("{} -> {}: {} pictures, {} of them marked, {} segments, {} events\n",
                     printable(command.stream), printable(command.target), show_count(report.pictures),
                     show_count(report.marked), show_count(report.segments), show_count(events));
}

bool is_annotated_whole(const AnnotateReport& report) {
  return report.gaps == 0 && report.undecodable == 0;
}

Result<int> run_annotating_stored(const AnnotateCommand& command, const AnnotateOptions& options, Log& log,
                                  const Annotations& annotations, const Environment& environment) {
  GOPLINE_ASSIGN(auto report,
                 annotate_stored(log, environment.clock, annotations, options, environment.stop));
  auto events = static_cast<std::int64_t>(annotations.events());
  if (command.output.json) {
    print_result(annotate_json(command, report, events).dump() + "\n");
  } else if (!command.output.quiet) {
    print_note(annotate_text(command, report, events));
  }
  return is_annotated_whole(report) ? kWhole : kNotWhole;
}

Result<int> run_annotating_live(const AnnotateCommand& command, AnnotateOptions what, Log& log,
                                catalog::EventFeed& feed, Annotations& annotations, const StopToken& give_up,
                                const Environment& environment) {
  LiveAnnotateOptions options;
  options.what = std::move(what);
  options.delay = command.delay;
  options.until = command.until;
  options.give_up = give_up;
  options.on_ready = [&] {
    if (!command.output.quiet) print_note(fmt::format("annotating {}\n", printable(command.stream)));
  };
  GOPLINE_ASSIGN(auto report,
                 annotate_live(log, environment.clock, feed, annotations, options, environment.stop));
  if (command.output.json) {
    auto json = annotate_json(command, report.drawn, report.events);
    json["events_late"] = report.late;
    json["follow"] = stats_json(report.stats);
    print_result(json.dump() + "\n");
  } else if (!command.output.quiet) {
    print_note(annotate_text(command, report.drawn, report.events));
    if (report.late > 0)
      print_note(fmt::format("{} words of events came too late for their pictures: --delay\n",
                             show_count(report.late)));
  }
  if (report.interrupted) return kInterrupted;
  return is_annotated_whole(report.drawn) && report.late == 0 ? kWhole : kNotWhole;
}

Result<int> run(AnnotateCommand command, const Environment& environment) {
  if (command.target.empty()) command.target = command.stream + "/annotated";
  if (command.target == command.stream)
    return fail(ErrorCode::kInvalidArgument, "{}: cannot be drawn over: give --as another name",
                command.stream);
  std::optional<SteadyMemory> memory;
  if (command.follow) memory.emplace();
  GOPLINE_ASSIGN(auto topics, topics_of(command.log));
  LaterStop stop_of_the_log(environment.stop, kStopGrace);
  GOPLINE_ASSIGN(auto log, open_log(command.log, LogUse::kRead, stop_of_the_log.token()));
  GOPLINE_ASSIGN(auto feed, open_annotated_events(*log, topics, command));
  GOPLINE_ASSIGN(auto annotations, read_annotations(feed, environment.stop));
  BlobStores blobs(command.blobs);
  AnnotateOptions options;
  GOPLINE_ASSIGN(options.selection.topic_namespace, namespace_of(command.log));
  options.selection.stream = command.stream;
  if (command.epoch) options.selection.epochs = *command.epoch;
  if (command.from) options.selection.from = *command.from;
  if (command.to) options.selection.to = *command.to;
  options.target = command.target;
  options.blobs = &blobs;
  if (!command.follow) return run_annotating_stored(command, options, *log, annotations, environment);
  return run_annotating_live(command, std::move(options), *log, feed, annotations, stop_of_the_log.token(),
                             environment);
}

void check_annotate_follow(const CLI::App& command, bool follow) {
  for (const auto* name : {"--to", "--epoch"}) {
    if (follow && command.count(name) > 0)
      throw CLI::ValidationError(name, "does not go with --follow; --until ends it");
  }
  for (const auto* name : {"--delay", "--until"}) {
    if (!follow && command.count(name) > 0) throw CLI::ValidationError(name, "goes with --follow");
  }
}

}  // namespace

void add_annotate_command(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<AnnotateCommand>();
  auto* command = root.add_subcommand("annotate", "Draw what was found into the pictures, as another stream");
  add_stream_argument(*command, options->stream);
  command->add_option("--as", options->target, "The stream that is made (STREAM/annotated)")
      ->type_name("NAME");
  add_log_options(*command, options->log);
  add_blob_options(*command, options->blobs);
  add_time(*command, "--from", options->from, "From the access point at or before this capture time on");
  add_time(*command, "--to", options->to, "Up to the segment that has this capture time");
  add_epoch_option(*command, options->epoch, "Which epoch: latest, all, or its number (latest)");
  command->add_option("--class", options->query.class_name, "Only events of this class")->type_name("NAME");
  command->add_option("--analyzer", options->query.analyzer, "Only what this analyzer found")
      ->type_name("NAME");
  command->add_flag("--follow", options->follow, "Go on with what is written from now on, until Ctrl-C");
  add_duration(*command, "--delay", options->delay,
               "--follow: draw so long after the capture: a segment's length, and what analyzers need (5s)");
  add_time(*command, "--until", options->until, "--follow: end before this capture time");
  add_json_option(*command, options->output);
  add_verbosity_options(*command, options->output);
  add_footer(*command, kAnnotateExamples);
  command->callback([options, command, &chosen] {
    check_annotate_follow(*command, options->follow);
    chosen = [options](const Environment& environment) {
      apply_verbosity(options->output);
      auto code = run(*options, environment);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace gopline::cli
