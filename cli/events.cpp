#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/display_width.h"
#include "cli/exit_codes.h"
#include "cli/log_factory.h"
#include "cli/options.h"
#include "cli/text_forms.h"
#include "common/base/text.h"
#include "common/catalog/event_feed.h"
#include "common/record/siem_forms.h"

namespace gopline::cli {
namespace {

using nlohmann::ordered_json;

constexpr Duration kLongestWait = std::chrono::seconds(1);
constexpr const char* kEventsExamples =
    "  gopline events                                all that was found, stream by stream in order\n"
    "  gopline events lobby --from 2026-11-22T18:00:00Z --class motion\n"
    "  gopline events 'site-7/*' --follow --json | jq -c 'select(.phase == \"start\")'\n"
    "  gopline events --follow --ocsf                for a SIEM, as Detection Findings\n"
    "  gopline events lobby --json --thumbnails | jq -r '.thumbnail.base64 // empty' | head -n 1 | base64 "
    "-d\n\n"
    "An event is told as it starts, as it goes on, and as it ends; its name is the same in all. --json "
    "prints a "
    "line for\n"
    "each: docs/record-format.md, \"Events\".\n";

struct EventsCommand {
  LogOptions log;
  OutputOptions output;
  catalog::EventQuery query;
  bool follow = false;
  bool thumbnails = false;
  bool ocsf = false, ecs = false;
};

ordered_json json_of(const record::Detection& event, bool thumbnails) {
  auto encoded = record::encode(event);
  auto json = ordered_json::parse(encoded.value.text());
  if (!thumbnails) json.erase("thumbnail");
  return json;
}

// What tables say of it, and who has not answered.
std::string additions_of(const record::Detection& event) {
  std::string text;
  for (const auto& [name, value] : record::labels_of(event))
    text += fmt::format("  {}={}", printable(name), printable(value));
  for (const auto& name : event.incomplete) text += fmt::format("  (without {})", printable(name));
  return text;
}

std::string line_of(const record::Detection& event) {
  std::string box = "-";
  if (event.box) {
    box = fmt::format("{:.2f},{:.2f} {:.2f}x{:.2f}", event.box->x, event.box->y, event.box->width,
                      event.box->height);
  }
  auto score = event.score ? fmt::format("{:.2f}", *event.score) : std::string("-");
  return fmt::format("{}  {}  {:<6}  {}  {}  {}  {}  {}{}\n", show_time(event.time), printable(event.stream),
                     to_string(event.phase), printable(event.class_name),
                     event.zone.empty() ? "-" : printable(event.zone), score, box, printable(event.event),
                     additions_of(event));
}

std::string text_of(const record::Detection& event, const EventsCommand& command) {
  if (command.ocsf) return record::to_ocsf(event, GOPLINE_VERSION) + "\n";
  if (command.ecs) return record::to_ecs(event, GOPLINE_VERSION) + "\n";
  return command.output.json ? json_of(event, command.thumbnails).dump() + "\n" : line_of(event);
}

Result<int> run(const EventsCommand& command, const Environment& environment) {
  GOPLINE_ASSIGN(auto topics, topics_of(command.log));
  GOPLINE_ASSIGN(auto log, open_log(command.log, LogUse::kRead, environment.stop));
  auto query = command.query;
  query.from_now_on = command.follow && !query.from;
  GOPLINE_ASSIGN(auto feed, catalog::EventFeed::open(*log, topics, query));
  std::stop_callback wake(environment.stop, [&] { feed.wakeup(); });
  std::int64_t printed = 0;
  while (!environment.stop.stop_requested() && (command.follow || !feed.is_past_the_start())) {
    GOPLINE_ASSIGN(auto events, feed.poll(kLongestWait));
    for (const auto& event : events) {
      print_result(text_of(event, command));
      ++printed;
    }
    if (!events.empty() && command.follow) GOPLINE_TRY(finish_output());
  }
  bool for_people = !command.output.json && !command.ocsf && !command.ecs;
  if (printed == 0 && !command.follow && for_people) {
    print_note(fmt::format("{} has no such events: `gopline analyze --analyzer motion` looks for some\n",
                           log->describe()));
  }
  if (environment.stop.stop_requested()) return kInterrupted;
  return feed.unreadable() == 0 ? kWhole : kNotWhole;
}

}  // namespace

void add_events_command(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<EventsCommand>();
  auto* command = root.add_subcommand("events", "Show what analyzers have found");
  command
      ->add_option("streams", options->query.patterns, "The streams: names, or patterns with * ? [...] (all)")
      ->type_name("STREAM");
  add_log_options(*command, options->log);
  add_time(*command, "--from", options->query.from, "From this capture time on");
  add_time(*command, "--to", options->query.to, "Before this capture time");
  command->add_option("--class", options->query.class_name, "Only of this class")->type_name("NAME");
  command->add_option("--analyzer", options->query.analyzer, "Only what this analyzer found")
      ->type_name("NAME");
  command->add_flag("--follow", options->follow,
                    "Go on with what comes, until Ctrl-C; without --from with nothing else");
  command->add_flag("--thumbnails", options->thumbnails, "With --json: the small pictures too, in base64");
  add_json_option(*command, options->output);
  auto* ocsf = command->add_flag("--ocsf", options->ocsf, "A line each of OCSF 1.5: Detection Finding");
  auto* ecs = command->add_flag("--ecs", options->ecs, "A line each of the Elastic Common Schema");
  ocsf->excludes(ecs)->excludes("--json");
  ecs->excludes("--json");
  add_footer(*command, kEventsExamples);
  command->callback([options, &chosen] {
    chosen = [options](const Environment& environment) {
      auto code = run(*options, environment);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace gopline::cli
