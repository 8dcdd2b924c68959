#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "analyzer/requests/ask.h"
#include "cli/answer_requests.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/display_width.h"
#include "cli/exit_codes.h"
#include "cli/log_factory.h"
#include "cli/options.h"
#include "cli/table.h"
#include "common/base/text.h"
#include "splitter/source_file.h"

namespace gopline::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kAskExamples =
    "  gopline analyze --analyzer 'objects:model=FastestDet.onnx,names=coco.names' --requests    a worker\n"
    "  gopline ask photo.jpg                                    photo.annotated.jpg, and what is in it\n"
    "  gopline ask *.png --output-dir seen --timeout 10s\n"
    "  gopline ask photo.jpg --no-picture --json | jq '.answers[0].detections[].class'\n\n"
    "Sends pictures (JPEG, PNG, TIFF) to workers that answer requests, and waits for their answers. Anybody "
    "who can\n"
    "produce and consume records can do the same: docs/analyzers.md, \"Requests\".\n";

struct AskCommand {
  LogOptions log;
  OutputOptions output;
  std::vector<std::string> files;
  std::string topic, reply_to, subject = "ask";
  std::string folder;  // of the answers; empty: beside the pictures
  Duration timeout = std::chrono::seconds(30);
  bool no_picture = false;
};

struct Asked {
  std::string file, output;
  std::optional<std::string> error;
  std::optional<analyzer::Answer> answer;
};

std::string output_of(const AskCommand& command, const std::string& file) {
  auto path = std::filesystem::path(file);
  auto folder = command.folder.empty() ? path.parent_path() : std::filesystem::path(command.folder);
  return (folder / (path.stem().string() + ".annotated.jpg")).string();
}

Result<Buffer> read_picture(const std::string& path) {
  GOPLINE_ASSIGN(auto file, splitter::SourceFile::open(path));
  return file.read(0, file.size());
}

Result<void> write_picture(const std::string& path, const Buffer& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) return fail(ErrorCode::kIo, "{}: cannot be written", path);
  return {};
}

ordered_json detections_of(const Asked& asked) {
  if (!asked.answer) return ordered_json::array();
  auto parsed = ordered_json::parse(asked.answer->detections, nullptr, false);
  return parsed.is_array() ? parsed : ordered_json::array();
}

ordered_json json_of_answers(const std::vector<Asked>& all) {
  ordered_json json{{"answers", ordered_json::array()}};
  for (const auto& asked : all) {
    ordered_json one{{"file", asked.file}};
    one["output"] = asked.output.empty() ? ordered_json() : ordered_json(asked.output);
    one["error"] = asked.error ? ordered_json(*asked.error) : ordered_json();
    one["detections"] = detections_of(asked);
    one["detections_left_out"] = asked.answer ? asked.answer->left_out : 0;
    json["answers"].push_back(std::move(one));
  }
  return json;
}

std::string words_of_detections(const Asked& asked) {
  std::map<std::string, int> classes;
  for (const auto& one : detections_of(asked)) ++classes[one.value("class", std::string("?"))];
  std::string words;
  for (const auto& [name, count] : classes)
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", count, printable(name));
  return words.empty() ? "nothing" : words;
}

std::string table_of(const std::vector<Asked>& all) {
  Table table({{"PICTURE"}, {"FOUND"}, {"ANSWER"}});
  for (const auto& asked : all) {
    table.add_row({printable(asked.file), asked.answer ? words_of_detections(asked) : "-",
                   asked.error ? printable(*asked.error) : printable(asked.output)});
  }
  return table.to_string();
}

// Answers come in any order. What is not answered within the time since the newest answer has none.
Result<void> take_answers(analyzer::Asker& asker, const AskCommand& command,
                          std::map<std::string, Asked*>& waiting, const StopToken& stop) {
  while (asker.unanswered() > 0) {
    GOPLINE_ASSIGN(auto answer, asker.receive(command.timeout, stop));
    if (!answer) return {};
    auto& asked = *waiting.at(answer->correlation);
    asked.error = answer->error;
    if (asked.error) continue;
    if (!answer->picture.empty()) {
      asked.output = output_of(command, asked.file);
      GOPLINE_TRY(write_picture(asked.output, answer->picture));
    }
    asked.answer = std::move(*answer);
  }
  return {};
}

Result<int> run(AskCommand command, const Environment& environment) {
  GOPLINE_ASSIGN(auto name_space, namespace_of(command.log));
  analyzer::AskOptions options;
  options.topic = command.topic.empty() ? request_topic(name_space) : command.topic;
  options.reply_topic = command.reply_to.empty() ? reply_topic(name_space) : command.reply_to;
  options.subject = command.subject;
  options.wants_picture = !command.no_picture;
  GOPLINE_ASSIGN(auto log, open_log(command.log, LogUse::kRead, environment.stop));
  GOPLINE_ASSIGN(auto asker, analyzer::Asker::open(*log, environment.clock, options));
  std::vector<Asked> all;
  for (const auto& file : command.files) all.push_back({file, "", {}, {}});
  std::map<std::string, Asked*> waiting;
  for (auto& asked : all) {
    GOPLINE_ASSIGN(auto picture, read_picture(asked.file));
    auto sent = asker->send(std::move(picture));
    if (!sent) return fail_with_context(asked.file, sent.error());
    waiting.emplace(*sent, &asked);
  }
  GOPLINE_TRY(take_answers(*asker, command, waiting, environment.stop));
  bool all_came = asker->unanswered() == 0;
  for (auto& asked : all) {
    if (!asked.answer && !asked.error) asked.error = "no answer";
  }
  if (command.output.json) {
    print_result(json_of_answers(all).dump(2) + "\n");
  } else if (!command.output.quiet) {
    print_result(table_of(all));
  }
  if (environment.stop.stop_requested()) return kInterrupted;
  if (!all_came)
    return fail(ErrorCode::kUnavailable,
                "{} of {} pictures have no answer after {}: does a worker run? (gopline analyze --requests)",
                asker->unanswered(), all.size(), format_duration(command.timeout));
  bool is_whole = std::ranges::none_of(all, [](const Asked& asked) { return asked.error.has_value(); });
  return is_whole ? kWhole : kNotWhole;
}

}  // namespace

void add_ask_command(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<AskCommand>();
  auto* command = root.add_subcommand("ask", "Send pictures to analyzers, and wait for their answers");
  command->add_option("PICTURE", options->files, "JPEG, PNG or TIFF files")->required()->type_name("");
  add_log_options(*command, options->log);
  command->add_option("--requests", options->topic, "The topic where requests go (NS.requests)")
      ->type_name("TOPIC");
  command->add_option("--reply-to", options->reply_to, "The topic of the answers (NS.replies)")
      ->type_name("TOPIC");
  command->add_option("--as", options->subject, "Whose pictures these are, for the analyzer (ask)")
      ->type_name("NAME");
  command->add_option("--output-dir", options->folder, "Where annotated pictures go (beside the pictures)")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  command->add_flag("--no-picture", options->no_picture, "Only what was found, no picture");
  add_duration(*command, "--timeout", options->timeout, "Wait so long for the next answer")
      ->default_str("30s");
  add_json_option(*command, options->output);
  add_verbosity_options(*command, options->output);
  add_footer(*command, kAskExamples);
  command->callback([options, &chosen] {
    chosen = [options](const Environment& environment) {
      apply_verbosity(options->output);
      auto code = run(*options, environment);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace gopline::cli
