#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/blob_stores.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/content_type.h"
#include "cli/display_width.h"
#include "cli/exit_codes.h"
#include "cli/log_factory.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/strategy_report.h"
#include "cli/text_forms.h"
#include "common/base/text.h"
#include "common/record/stream_id.h"
#include "splitter/file_put.h"

namespace gopline::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kPutExamples =
    "  gopline put report.csv --stream reports/daily\n"
    "  gopline put disk.img --stream images --blobs s3://archive/gopline      the log keeps references\n"
    "  gopline put scan.tiff --stream scans --payload chunk --explain\n"
    "  gopline get reports/daily --output report.csv                          brings it back\n\n"
    "A put that was interrupted goes on where it ended: run it once more. A file that the stream has whole\n"
    "already (by name, size and time of modification) is not put again, unless --again says so.\n";

struct PutCommand {
  LogOptions log;
  PayloadOptions payload;
  OutputOptions output;
  splitter::PutOptions put;
};

ordered_json report_json(const PutCommand& command, const splitter::PutReport& report) {
  ordered_json json{{"file", command.put.file}, {"stream", command.put.stream}, {"size", report.size}};
  json["already_whole"] = report.whole.has_value();
  json["epoch"] = report.whole.value_or(report.epoch.epoch).value;
  json["segments"] = report.epoch.segments;
  json["bytes"] = report.epoch.bytes;
  json["resumed_from"] = report.resumed_from;
  json["payloads"] = strategies_json(report.epoch.strategies);
  json["compression"] = {{"compressed", report.compression.compress}, {"reason", report.compression.reason}};
  return json;
}

std::string summary(const PutCommand& command, const splitter::PutReport& report, Duration elapsed) {
  auto what = fmt::format("{} -> {}", printable(command.put.file), printable(command.put.stream));
  if (report.whole) {
    return fmt::format(
        "{}: epoch {} has this file whole already; nothing was written (--again writes it anew)\n", what,
        *report.whole);
  }
  auto text = fmt::format("{}: epoch {}, {} in {} segments", what, report.epoch.epoch,
                          format_bytes(report.epoch.bytes), show_count(report.epoch.segments));
  if (report.resumed_from > 0) {
    text += fmt::format(", behind the {} that were there", format_bytes(report.resumed_from));
  }
  if (auto rate = format_rate(report.epoch.bytes, elapsed); !rate.empty()) text += ", " + rate;
  return text + "\n";
}

std::string explanation(const splitter::PutReport& report) {
  if (report.whole) return "";
  return fmt::format("\n{}\nCompressed: {} ({})\n", strategies_text(report.epoch.strategies),
                     report.compression.compress ? "by the log" : "no", report.compression.reason);
}

Result<int> run(const PutCommand& command, const Environment& environment) {
  GOPLINE_ASSIGN(auto log, open_log(command.log, LogUse::kWrite, environment.stop));
  BlobStores stores(command.payload.blobs);
  GOPLINE_ASSIGN(auto blobs, stores.for_writing());
  auto options = command.put;
  GOPLINE_ASSIGN(options.topic_namespace, files_namespace_of(command.log));
  options.payload = command.payload.strategy;
  options.blobs = blobs.get();
  if (options.content_type.empty()) options.content_type = content_type_of(options.file);
  ProgressBoard board(environment.clock, progress_options(command.output.quiet), print_note);
  auto line = board.add(options.stream);
  auto started = environment.clock.steady_now();
  auto report = splitter::put_file(
      *log, environment.clock, options,
      [&](std::uint64_t done, std::uint64_t size) {
        ProgressState state{done, std::nullopt, {}};
        if (size > 0) state.fraction = static_cast<double>(done) / static_cast<double>(size);
        board.update(line, state);
      },
      environment.stop);
  board.close();
  if (!report) return tl::unexpected(std::move(report.error()));
  auto elapsed = std::chrono::duration_cast<Duration>(environment.clock.steady_now() - started);
  if (command.output.json) {
    print_result(report_json(command, *report).dump(2) + "\n");
  } else if (!command.output.quiet) {
    print_result(summary(command, *report, elapsed));
    if (command.payload.explain) print_result(explanation(*report));
  }
  return kWhole;
}

}  // namespace

void add_put_command(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<PutCommand>();
  options->put.content_type.clear();
  auto* command = root.add_subcommand("put", "Write any file into a stream, however large");
  command->add_option("FILE", options->put.file, "The file")->required()->type_name("");
  command->add_option("--stream", options->put.stream, "The stream's id")
      ->required()
      ->type_name("ID")
      ->check([](const std::string& id) {
        auto good = record::check_stream_id(id);
        return good ? std::string() : good.error().message;
      });
  add_log_options(*command, options->log);
  add_payload_options(*command, options->payload);
  add_bytes(*command, "--piece-bytes", options->put.piece_bytes,
            "Cut the file into pieces of this size. Default: 16MiB, 64MiB for claim checks");
  add_compression_option(*command, options->put.compression);
  command->add_option("--content-type", options->put.content_type, "Its media type. Else by its extension")
      ->type_name("TYPE");
  command->add_flag("--again", options->put.again, "Even if the stream has the same file whole");
  add_duration(*command, "--retention", options->put.retention.age,
               "Keep files this long, in topics that are made now. Else for ever");
  add_json_option(*command, options->output);
  add_verbosity_options(*command, options->output);
  add_footer(*command, kPutExamples);
  command->callback([options, &chosen] {
    check_payload_options(options->payload);
    chosen = [options](const Environment& environment) {
      apply_verbosity(options->output);
      auto code = run(*options, environment);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace gopline::cli
