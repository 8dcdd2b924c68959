#include <memory>

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "aggregator/file_get.h"
#include "cli/absences.h"
#include "cli/blob_stores.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/display_width.h"
#include "cli/exit_codes.h"
#include "cli/log_factory.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kGetExamples =
    "  gopline get reports/daily --output report.csv        the newest file that was put whole\n"
    "  gopline get reports/daily --output old.csv --epoch 12\n"
    "  gopline get images --output - | tar -x\n\n"
    "When something of the file is missing or damaged, that is listed and no output file is left.\n";

struct GetCommand {
  LogOptions log;
  BlobOptions blobs;
  OutputOptions output;
  std::optional<std::int64_t> epoch;
  aggregator::GetOptions get;
};

ordered_json report_json(const GetCommand& command, const aggregator::GetReport& report) {
  ordered_json json{{"stream", command.get.stream},        {"output", command.get.output},
                    {"epoch", report.epoch.value},         {"name", report.name},
                    {"content_type", report.content_type}, {"size", report.size},
                    {"whole", report.absences.empty()}};
  json["epochs"] = ordered_json::array();
  for (auto epoch : report.epochs) json["epochs"].push_back(epoch.value);
  json["gaps"] = ordered_json::array();
  for (const auto& absence : report.absences) json["gaps"].push_back(absence_json(absence));
  return json;
}

std::string summary(const GetCommand& command, const aggregator::GetReport& report, Duration elapsed) {
  auto target = command.get.output == "-" ? std::string("standard output") : printable(command.get.output);
  if (!report.absences.empty()) {
    return fmt::format("{} of {} is not whole: {} gaps, and no output.\n\n{}", printable(report.name),
                       printable(command.get.stream), report.absences.size(),
                       absences_table(report.absences));
  }
  auto text = fmt::format("{} -> {}: {}, {}, epoch {}", printable(command.get.stream), target,
                          printable(report.name), format_bytes(report.size), report.epoch);
  if (report.epochs.size() > 1) text += fmt::format(" and {} before it", report.epochs.size() - 1);
  if (auto rate = format_rate(report.size, elapsed); !rate.empty()) text += ", " + rate;
  if (report.unfinished_newer > 0) {
    text += fmt::format("\n{} newer puts did not come to their end", report.unfinished_newer);
  }
  return text + "\n";
}

Result<int> run(const GetCommand& command, const Environment& environment) {
  if (command.get.output == "-" && isatty(STDOUT_FILENO) == 1) {
    return fail(ErrorCode::kInvalidArgument,
                "standard output is a terminal: redirect it, or give --output a file");
  }
  GOPLINE_ASSIGN(auto log, open_log(command.log, LogUse::kRead, environment.stop));
  BlobStores blobs(command.blobs);
  auto options = command.get;
  options.blobs = &blobs;
  if (command.epoch) options.epoch = EpochNumber(*command.epoch);
  GOPLINE_ASSIGN(options.topic_namespace, files_namespace_of(command.log));
  ProgressBoard board(environment.clock, progress_options(command.output.quiet), print_note);
  auto line = board.add(options.stream);
  auto started = environment.clock.steady_now();
  auto report = aggregator::get_file(
      *log, options,
      [&](std::uint64_t done, std::uint64_t size) {
        ProgressState state{done, std::nullopt, {}};
        if (size > 0) state.fraction = static_cast<double>(done) / static_cast<double>(size);
        board.update(line, state);
      },
      environment.stop);
  board.close();
  if (!report) return tl::unexpected(std::move(report.error()));
  auto elapsed = std::chrono::duration_cast<Duration>(environment.clock.steady_now() - started);
  if (command.output.json) print_result(report_json(command, *report).dump(2) + "\n");
  bool whole = report->absences.empty();
  if (!whole || !(command.output.quiet || command.output.json))
    print_note(summary(command, *report, elapsed));
  return whole ? kWhole : kNotWhole;
}

}  // namespace

void add_get_command(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<GetCommand>();
  auto* command = root.add_subcommand("get", "Bring a file back that was put into a stream");
  add_stream_argument(*command, options->get.stream);
  command->add_option("-o,--output", options->get.output, "The file to write, or - for standard output")
      ->required()
      ->type_name("FILE");
  add_log_options(*command, options->log);
  add_blob_options(*command, options->blobs);
  command->add_option("--epoch", options->epoch, "The put to bring back. Default: the newest that is whole")
      ->type_name("N");
  add_json_option(*command, options->output);
  add_verbosity_options(*command, options->output);
  add_footer(*command, kGetExamples);
  command->callback([options, &chosen] {
    if (options->output.json && options->get.output == "-") {
      throw CLI::ValidationError("--json", "standard output carries the file: give --output a file");
    }
    chosen = [options](const Environment& environment) {
      apply_verbosity(options->output);
      auto code = run(*options, environment);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace gopline::cli
