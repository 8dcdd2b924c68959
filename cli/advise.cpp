#include <charconv>
#include <fstream>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/segments/report.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/exit_codes.h"
#include "cli/options.h"

namespace gopline::cli {
namespace {

constexpr const char* kAdviseExamples =
    "  gopline advise report/results.json                 after gopline bench segments --output report\n"
    "  gopline advise report/results.json --streams 200 --bitrate 4Mbit/s\n"
    "  gopline advise report/results.json --latency-goal 800ms --report report/report.html\n";

struct AdviseCommand {
  std::string results;
  std::string report;  // empty: none
  bench::Goal goal;
  OutputOptions output;
};

// "4Mbit/s", "800kbit/s", "4M": bits, in powers of a thousand.
Result<double> parse_bit_rate(std::string_view text) {
  double value = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  if (unit.ends_with("/s")) unit.remove_suffix(2);
  if (unit.ends_with("bit")) unit.remove_suffix(3);
  double scale = unit.empty()                 ? 1
                 : unit == "k" || unit == "K" ? 1e3
                 : unit == "M"                ? 1e6
                 : unit == "G"                ? 1e9
                                              : 0;
  if (error != std::errc() || value <= 0 || scale <= 0) {
    return fail(ErrorCode::kInvalidArgument, "'{}' is not a bit rate like 4Mbit/s or 800kbit/s", text);
  }
  return value * scale;
}

Result<bench::Results> read_results(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail_errno(errno, path + ": cannot read the results");
  auto document = nlohmann::json::parse(file, nullptr, false);
  if (document.is_discarded()) return fail(ErrorCode::kInvalidArgument, "{}: is not JSON", path);
  auto results = bench::results_from(document);
  if (!results) return fail_with_context(path, std::move(results.error()));
  return results;
}

Result<int> run(const AdviseCommand& command) {
  GOPLINE_ASSIGN(auto results, read_results(command.results));
  auto advice = bench::advise(results, command.goal);
  if (!advice) return fail_with_context(command.results, std::move(advice.error()));
  if (!command.report.empty()) {
    std::ofstream file(command.report, std::ios::binary);
    file << to_html(results, &*advice) << std::flush;
    if (!file) return fail_errno(errno == 0 ? EIO : errno, command.report + ": cannot write the report");
  }
  print_result(command.output.json ? to_json(*advice).dump(2) + "\n" : to_text(*advice));
  return kWhole;
}

}  // namespace

void add_advise_command(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<AdviseCommand>();
  auto* command = root.add_subcommand(
      "advise", "From a benchmark's results to segment duration, strategy, partitions and settings");
  command->add_option("RESULTS", options->results, "results.json of `gopline bench segments`")
      ->required()
      ->type_name("");
  command->add_option("--streams", options->goal.streams, "How many the cluster is to carry")
      ->check(CLI::Range(1, 10'000'000))
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option_function<std::string>(
          "--bitrate",
          [options](const std::string& text) {
            auto rate = parse_bit_rate(text);
            if (!rate) throw CLI::ValidationError("--bitrate", rate.error().message);
            options->goal.bits_per_second = *rate;
          },
          "Of each stream")
      ->type_name("RATE")
      ->default_str("4Mbit/s");
  add_duration(*command, "--latency-goal", options->goal.latency,
               "From a picture's capture until it can be read: a segment's duration and its way. Else none");
  command->add_option("--report", options->report, "Also write the results' report anew, with this advice")
      ->type_name("FILE");
  add_json_option(*command, options->output);
  add_footer(*command, kAdviseExamples);
  command->callback([options, &chosen] {
    chosen = [options](const Environment&) {
      auto code = run(*options);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace gopline::cli
