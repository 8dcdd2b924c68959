#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/exit_codes.h"
#include "cli/fleet_config.h"
#include "cli/options.h"
#include "cli/pipeline_config.h"
#include "cli/table.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

constexpr const char* kCheckConfigExamples =
    "  gopline check-config cameras.yaml             what it says, or what is wrong with it\n"
    "  gopline check-config cameras.yaml && systemctl reload gopline\n"
    "  gopline check-config pipeline.yaml\n\n"
    "docs/cameras.yaml and docs/pipeline.yaml are examples with every word there is.\n";

struct CheckConfigCommand {
  std::string path;
  OutputOptions output;
};

int run_pipeline(const CheckConfigCommand& command) {
  auto config = read_pipeline_config(command.path);
  if (!config) return report(config.error());
  const auto& stages = config->pipeline.stages;
  auto json = nlohmann::ordered_json{{"config", command.path},
                                     {"pipeline", config->pipeline.name},
                                     {"stages", nlohmann::ordered_json::array()}};
  Table table({{"STAGE"}, {"ANALYZER"}, {"AFTER"}, {"FOR"}, {"EVENTS"}});
  for (const auto& stage : stages) {
    auto after = stage.after ? stages[*stage.after].name : std::string();
    auto hold = stage.after ? format_duration(stage.hold) : std::string();
    const auto& analyzer = stage.kind->identity().name;
    json["stages"].push_back(
        {{"stage", stage.name},
         {"analyzer", analyzer},
         {"after", after.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(after)},
         {"for", hold.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(hold)},
         {"events", stage.tells}});
    table.add_row({stage.name, analyzer, after.empty() ? "-" : after, hold.empty() ? "-" : hold,
                   stage.tells ? "yes" : "-"});
  }
  for (const auto& one : config->tables) json["tables"].push_back(one.name);
  print_result(command.output.json ? json.dump(2) + "\n" : table.to_string());
  return kWhole;
}

int run(const CheckConfigCommand& command) {
  if (is_pipeline_config(command.path)) return run_pipeline(command);
  auto cameras = read_fleet_config(command.path, {});
  if (!cameras) return report(cameras.error());
  auto json = nlohmann::ordered_json{{"config", command.path}, {"cameras", nlohmann::ordered_json::array()}};
  Table table({{"STREAM"}, {"SOURCE"}, {"LOGIN"}, {"TRANSPORT"}, {"SEGMENTS"}, {"LINE", Align::kRight}});
  for (const auto& camera : *cameras) {
    auto source = without_secrets(camera.split.source);
    bool is_rtsp = camera.split.source.starts_with("rtsp");
    std::string transport = !is_rtsp                                                 ? "-"
                            : camera.live.transport == splitter::RtspTransport::kUdp ? "udp"
                                                                                     : "tcp";
    auto duration = format_duration(camera.split.segmenter.segment_duration);
    json["cameras"].push_back({{"stream", camera.split.stream},
                               {"source", source},
                               {"has_login", camera.login.has_value()},
                               {"live", camera.is_live},
                               {"transport", transport},
                               {"segment_duration", duration},
                               {"line", camera.line}});
    table.add_row({camera.split.stream, source, camera.login ? "yes" : "-", transport, duration,
                   std::to_string(camera.line)});
  }
  if (command.output.json) {
    print_result(json.dump(2) + "\n");
  } else {
    print_result(table.to_string());
  }
  return kWhole;
}

}  // namespace

void add_check_config_command(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<CheckConfigCommand>();
  auto* command = root.add_subcommand(
      "check-config", "Say what a file of cameras or of a pipeline means, or what is wrong with it");
  command->add_option("FILE", options->path, "As for split --config, or analyze --pipeline")
      ->required()
      ->type_name("");
  add_json_option(*command, options->output);
  add_footer(*command, kCheckConfigExamples);
  command->callback([options, &chosen] { chosen = [options](const Environment&) { return run(*options); }; });
}

}  // namespace gopline::cli
