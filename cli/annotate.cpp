#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/annotate_stream.h"
#include "cli/blob_stores.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/display_width.h"
#include "cli/exit_codes.h"
#include "cli/later_stop.h"
#include "cli/log_factory.h"
#include "cli/options.h"
#include "cli/text_forms.h"
#include "common/catalog/event_feed.h"

namespace gopline::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kAnnotateExamples =
    "  gopline annotate lobby                                      its newest epoch, as lobby/annotated\n"
    "  gopline annotate lobby --class person --from 2026-11-22T18:00:00Z --to 2026-11-22T18:10:00Z\n"
    "  gopline aggregate lobby/annotated --output evening.mp4      plays and exports like any other\n\n"
    "Draws what analyzers have found into the pictures of stored footage, and stores them as a stream of "
    "their own: H.264, "
    "without\n"
    "sound, at the same capture times.\n";

struct AnnotateCommand {
  LogOptions log;
  BlobOptions blobs;
  OutputOptions output;
  std::string stream, target;
  std::optional<Timestamp> from, to;
  std::optional<aggregator::EpochSelection> epoch;
  catalog::EventQuery query;
};

// All that has been found in the stream; which pictures are drawn is another matter.
Result<Annotations> read_annotations(Log& log, const record::Topics& topics, const AnnotateCommand& command,
                                     const StopToken& stop) {
  Annotations annotations;
  auto query = command.query;
  query.patterns = {command.stream};
  GOPLINE_ASSIGN(auto feed, catalog::EventFeed::open(log, topics, query));
  std::stop_callback wake(stop, [&] { feed.wakeup(); });
  while (!feed.is_past_the_start()) {
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "stopped");
    GOPLINE_ASSIGN(auto events, feed.poll(std::chrono::seconds(1)));
    for (const auto& event : events) annotations.add(event);
  }
  return annotations;
}

Result<int> run(AnnotateCommand command, const Environment& environment) {
  if (command.target.empty()) command.target = command.stream + "/annotated";
  if (command.target == command.stream)
    return fail(ErrorCode::kInvalidArgument, "{}: cannot be drawn over: give --as another name",
                command.stream);
  GOPLINE_ASSIGN(auto topics, topics_of(command.log));
  LaterStop stop_of_the_log(environment.stop, kStopGrace);
  GOPLINE_ASSIGN(auto log, open_log(command.log, LogUse::kRead, stop_of_the_log.token()));
  GOPLINE_ASSIGN(auto annotations, read_annotations(*log, topics, command, environment.stop));
  BlobStores blobs(command.blobs);
  AnnotateOptions options;
  GOPLINE_ASSIGN(options.selection.topic_namespace, namespace_of(command.log));
  options.selection.stream = command.stream;
  if (command.epoch) options.selection.epochs = *command.epoch;
  if (command.from) options.selection.from = *command.from;
  if (command.to) options.selection.to = *command.to;
  options.target = command.target;
  options.blobs = &blobs;
  GOPLINE_ASSIGN(auto report,
                 annotate_stream(*log, environment.clock, annotations, options, environment.stop));
  if (command.output.json) {
    ordered_json json{{"stream", command.stream},
                      {"target", command.target},
                      {"events", annotations.events()},
                      {"pictures", report.pictures},
                      {"pictures_marked", report.marked},
                      {"segments", report.segments},
                      {"epochs", report.epochs},
                      {"gaps", report.gaps},
                      {"packets_undecodable", report.undecodable}};
    print_result(json.dump() + "\n");
  } else if (!command.output.quiet) {
    print_note(fmt::format("{} -> {}: {} pictures, {} of them marked, {} segments, {} events\n",
                           printable(command.stream), printable(command.target), show_count(report.pictures),
                           show_count(report.marked), show_count(report.segments), annotations.events()));
  }
  return report.gaps == 0 && report.undecodable == 0 ? kWhole : kNotWhole;
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
  add_json_option(*command, options->output);
  add_verbosity_options(*command, options->output);
  add_footer(*command, kAnnotateExamples);
  command->callback([options, &chosen] {
    chosen = [options](const Environment& environment) {
      apply_verbosity(options->output);
      auto code = run(*options, environment);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace gopline::cli
