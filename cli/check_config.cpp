#include <memory>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/exit_codes.h"
#include "cli/fleet_config.h"
#include "cli/options.h"
#include "cli/table.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

constexpr const char* kCheckConfigExamples =
    "  gopline check-config cameras.yaml             what it says, or what is wrong with it\n"
    "  gopline check-config cameras.yaml && systemctl reload gopline\n\n"
    "docs/cameras.yaml is an example with every word there is.\n";

struct CheckConfigCommand {
  std::string path;
  OutputOptions output;
};

int run(const CheckConfigCommand& command) {
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
  auto* command =
      root.add_subcommand("check-config", "Say what a file of cameras means, or what is wrong with it");
  command->add_option("FILE", options->path, "As for split --config")->required()->type_name("");
  add_json_option(*command, options->output);
  add_footer(*command, kCheckConfigExamples);
  command->callback([options, &chosen] { chosen = [options](const Environment&) { return run(*options); }; });
}

}  // namespace gopline::cli
