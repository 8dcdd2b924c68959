#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/exit_codes.h"
#include "cli/log_factory.h"
#include "cli/options.h"
#include "cli/stream_summary.h"
#include "cli/table.h"
#include "cli/text_forms.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

constexpr const char* kStreamsExamples =
    "  gopline streams                          the streams of ./gopline-data\n"
    "  gopline streams --log /var/lib/gopline   of another log\n"
    "  gopline streams --json | jq '.streams[] | {stream, duration_seconds}'\n";

struct StreamsOptions {
  LogOptions log;
  OutputOptions output;
};

Result<int> run(const StreamsOptions& options, const Environment& environment) {
  GOPLINE_ASSIGN(auto log, open_for_reading(options.log, environment.stop));
  std::vector<StreamSummary> streams;
  for (const auto& [id, state] : log.directory->streams()) {
    GOPLINE_ASSIGN(auto summary, summarize(log, state));
    streams.push_back(std::move(summary));
  }
  for (const auto& problem : log.directory->problems()) print_error(problem);
  int code = log.directory->problems().empty() ? kWhole : kNotWhole;
  if (options.output.json) {
    nlohmann::ordered_json json{{"log", log.log->describe()}, {"streams", nlohmann::ordered_json::array()}};
    for (const auto& stream : streams) json["streams"].push_back(json_of(stream));
    print_result(json.dump(2) + "\n");
  } else if (streams.empty()) {
    print_note(fmt::format("{} has no streams yet: `gopline split FILE` makes one\n", log.log->describe()));
  } else {
    print_result(streams_table(streams));
  }
  return code;
}

}  // namespace

void add_streams_command(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<StreamsOptions>();
  auto* command = root.add_subcommand("streams", "List the streams of a log: times, sizes, codecs, gaps");
  add_log_options(*command, options->log);
  add_files_option(*command, options->log);
  add_json_option(*command, options->output);
  add_footer(*command, kStreamsExamples);
  command->callback([options, &chosen] {
    chosen = [options](const Environment& environment) {
      auto code = run(*options, environment);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace gopline::cli
