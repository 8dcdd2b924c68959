#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/blob_stores.h"
#include "cli/clip_proof.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/exit_codes.h"
#include "cli/log_factory.h"
#include "cli/options.h"
#include "cli/verify_report.h"
#include "cli/verify_stream.h"

namespace gopline::cli {
namespace {

constexpr const char* kVerifyExamples =
    "  gopline verify lobby          read every record of one stream\n"
    "  gopline verify --all          of every stream in the log\n"
    "  gopline verify lobby --json   the same, for a program\n"
    "  gopline verify --all --files  of every file that was put\n"
    "  gopline verify --clip gate.mp4\n"
    "                                a clip that was saved, with gate.json (clip.json) beside it\n\n"
    "Checked: every chunk's hash, every segment's size, numbers and order, the SHA-256 chain where there is "
    "one,\n"
    "payloads that lie outside of the log, every fragment and packet, every index entry, what each epoch and "
    "the stream itself counted.\n";

struct VerifyOptions {
  LogOptions log;
  BlobOptions blobs;
  OutputOptions output;
  std::vector<std::string> streams;
  bool all = false;
  ClipFiles clip;
};

Result<int> run_clip(const VerifyOptions& options, const Environment& environment) {
  GOPLINE_ASSIGN(auto topic_namespace, namespace_of(options.log));
  GOPLINE_ASSIGN(auto log, open_log(options.log, LogUse::kRead, environment.stop));
  BlobStores blobs(options.blobs);
  GOPLINE_ASSIGN(auto report, prove_clip(options.clip, *log, topic_namespace, blobs, environment.stop));
  print_result(options.output.json ? json_of(report).dump(2) + "\n" : to_text(report));
  return report.is_as_recorded() ? kWhole : kNotWhole;
}

Result<int> run(const VerifyOptions& options, const Environment& environment) {
  if (!options.clip.clip.empty()) return run_clip(options, environment);
  GOPLINE_ASSIGN(auto log, open_for_reading(options.log, environment.stop));
  std::vector<record::StreamState> states;
  for (const auto& id : options.streams) {
    GOPLINE_ASSIGN(auto state, log.directory->find(id));
    states.push_back(std::move(state));
  }
  if (options.all) {
    for (const auto& [id, state] : log.directory->streams()) states.push_back(state);
  }
  bool whole = true;
  BlobStores blobs(options.blobs);
  nlohmann::ordered_json json{{"log", log.log->describe()}, {"streams", nlohmann::ordered_json::array()}};
  for (const auto& state : states) {
    ProgressBoard board(environment.clock, progress_options(options.output.quiet), print_note);
    auto line = board.add(state.stream);
    auto report = verify_stream(log, state, environment.clock, blobs, environment.stop,
                                [&](std::uint64_t bytes, double fraction) {
                                  board.update(line, {bytes, fraction, {}});
                                });
    board.close();
    if (!report) return tl::unexpected(report.error());
    whole = whole && report->is_whole();
    if (options.output.json) {
      json["streams"].push_back(json_of(*report));
    } else {
      print_result(to_text(*report));
    }
  }
  for (const auto& problem : log.directory->problems()) print_error(problem);
  whole = whole && log.directory->problems().empty();
  json["whole"] = whole;
  json["problems"] = log.directory->problems();
  if (options.output.json) print_result(json.dump(2) + "\n");
  return whole ? kWhole : kNotWhole;
}

}  // namespace

void add_verify_command(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<VerifyOptions>();
  auto* command = root.add_subcommand("verify", "Check everything that the log holds of a stream");
  auto* stream =
      command->add_option("STREAM", options->streams, "Ids of the streams, as `gopline streams` lists them");
  stream->type_name("");
  auto* all = command->add_flag("--all", options->all, "Every stream of the log")->excludes(stream);
  auto* clip =
      command->add_option("--clip", options->clip.clip,
                          "Hold a clip that 'gopline serve' gave to the log: is every picture as recorded?");
  clip->type_name("FILE.mp4")->excludes(stream)->excludes(all);
  command
      ->add_option("--facts", options->clip.facts, "Its clip.json, if that is not beside it under its name")
      ->type_name("FILE.json")
      ->needs(clip);
  add_log_options(*command, options->log);
  add_files_option(*command, options->log);
  add_blob_options(*command, options->blobs);
  add_json_option(*command, options->output);
  add_verbosity_options(*command, options->output);
  add_footer(*command, kVerifyExamples);
  command->callback([options, &chosen] {
    if (options->streams.empty() && !options->all && options->clip.clip.empty())
      throw CLI::RequiredError("STREAM, --all or --clip");
    chosen = [options](const Environment& environment) {
      apply_verbosity(options->output);
      auto code = run(*options, environment);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace gopline::cli
