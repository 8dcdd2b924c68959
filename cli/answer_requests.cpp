#include "cli/answer_requests.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/console.h"
#include "cli/exit_codes.h"
#include "cli/later_stop.h"
#include "cli/log_factory.h"
#include "cli/text_forms.h"

namespace gopline::cli {
namespace {

using nlohmann::ordered_json;

ordered_json requests_json(const analyzer::RequestOptions& worker, const analyzer::AnalyzerKind& kind,
                           const analyzer::RequestReport& report) {
  const auto& identity = kind.identity();
  return {
      {"analyzer",
       {{"name", identity.name}, {"version", identity.version}, {"configuration", identity.configuration}}},
      {"group", worker.group},
      {"requests", worker.topic},
      {"answered", report.answered},
      {"failed", report.failed},
      {"unanswerable", report.unanswerable},
      {"attempts_repeated", report.repeated},
      {"exactly_once", report.exactly_once}};
}

}  // namespace

std::string request_topic(const std::string& topic_namespace) {
  return topic_namespace + ".requests";
}

std::string reply_topic(const std::string& topic_namespace) {
  return topic_namespace + ".replies";
}

void add_request_options(CLI::App& command, RequestCliOptions& options) {
  auto take = [&options](const std::vector<std::string>& words) {
    options.are_answered = true;
    if (!words.empty()) options.topic = words.front();
    return true;
  };
  command
      .add_option_function<std::vector<std::string>>(
          "--requests", [take](const std::vector<std::string>& words) { take(words); },
          "Instead of streams: answer pictures that are sent to this topic (NS.requests), with what was "
          "found "
          "drawn into them")
      ->expected(0, 1)
      ->type_name("[TOPIC]")
      ->excludes("--streams");
  command
      .add_option("--reply-topics", options.reply_topics,
                  "--requests: where answers may go: names, or patterns with * ? [...] (NS.replies*)")
      ->type_name("PATTERN");
}

Result<int> run_requests(const RequestCliOptions& options, analyzer::RequestOptions worker,
                         const analyzer::AnalyzerKind& kind, const LogOptions& log_options,
                         const OutputOptions& output, const Environment& environment) {
  GOPLINE_ASSIGN(auto name_space, namespace_of(log_options));
  GOPLINE_ASSIGN(auto topics, topics_of(log_options));
  worker.topic = options.topic.empty() ? request_topic(name_space) : options.topic;
  worker.reply_topic = reply_topic(name_space);
  worker.reply_topics = options.reply_topics;
  if (worker.reply_topics.empty()) worker.reply_topics = {worker.reply_topic + "*"};
  worker.never = {topics.segments, topics.index, topics.streams, topics.events,
                  topics.backlog,  topics.kept,  topics.dead,    worker.topic};
  if (worker.group.empty()) {
    const auto& identity = kind.identity();
    worker.group = fmt::format("gopline-answer {}-{}.{} {}", identity.name, identity.version,
                               identity.configuration, worker.topic);
  }
  LaterStop stop_of_the_log(environment.stop, kStopGrace);
  GOPLINE_ASSIGN(auto log, open_log(log_options, LogUse::kWrite, stop_of_the_log.token()));
  auto on_ready = [&] {
    if (!output.quiet)
      print_note(fmt::format("answering {} with {}, as group '{}'; answers may go to {}\n", worker.topic,
                             kind.identity().name, worker.group, fmt::join(worker.reply_topics, " ")));
  };
  GOPLINE_ASSIGN(auto report, analyzer::answer_requests(*log, environment.clock, kind, worker, on_ready,
                                                        environment.stop));
  if (output.json) {
    print_result(requests_json(worker, kind, report).dump() + "\n");
  } else if (!output.quiet) {
    print_result(fmt::format("{} answered, {} with an error, {} that could not be\n",
                             show_count(report.answered), show_count(report.failed),
                             show_count(report.unanswerable)));
  }
  if (report.interrupted) return kInterrupted;
  return report.failed == 0 && report.unanswerable == 0 ? kWhole : kNotWhole;
}

}  // namespace gopline::cli
