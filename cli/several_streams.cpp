#include "cli/several_streams.h"

#include <algorithm>
#include <set>

#include <CLI/CLI.hpp>

#include "common/base/text.h"

namespace gopline::cli {
namespace {

constexpr const char* kMosaicOptions[] = {"--layout",    "--size",  "--fps",
                                          "--no-labels", "--sound", "--max-waiting-bytes"};
constexpr double kMostOutputRate = 120;

template <typename Value>
CLI::Option* add_extent(CLI::App& command, const std::string& name, Value& value, const std::string& help) {
  return command
      .add_option_function<std::string>(
          name,
          [&value, name](const std::string& text) {
            auto parsed = aggregator::parse_extent(text);
            if (!parsed) throw CLI::ValidationError(name, parsed.error().message);
            value = *parsed;
          },
          help)
      ->type_name("WxH");
}

// "25", "29.97" or "30000/1001".
Result<Rational> parse_frame_rate(const std::string& text) {
  auto rate = parse_rational(text.find('/') == std::string::npos ? text + "/1" : text);
  if (rate && rate->num > 0 && rate->to_double() <= kMostOutputRate) return rate;
  return fail(ErrorCode::kInvalidArgument, "'{}' is not a frame rate up to {}, like 25 or 30000/1001", text,
              kMostOutputRate);
}

}  // namespace

void add_several_options(CLI::App& command, SeveralOptions& options) {
  command.add_flag("--join", options.join, "Several streams: as tracks of one file, nothing decoded");
  add_extent(command, "--layout", options.layout, "Mosaic: columns and rows (as square as it gets)");
  add_extent(command, "--size", options.size, "Mosaic: of the picture")->default_str("1920x1080");
  command
      .add_option_function<std::string>(
          "--fps",
          [&options](const std::string& text) {
            auto rate = parse_frame_rate(text);
            if (!rate) throw CLI::ValidationError("--fps", rate.error().message);
            options.frame_rate = *rate;
          },
          "Mosaic: frames a second (the highest of the streams', at most 30)")
      ->type_name("RATE");
  command.add_flag("--no-labels", options.no_labels, "Mosaic: no words on the pictures");
  command.add_option("--sound", options.sound, "Mosaic: with the sound of this stream")->type_name("STREAM");
  add_bytes(command, "--max-waiting-bytes", options.waiting_bytes,
            "Mosaic: of decoded pictures that wait for one another (256MiB)");
}

bool are_several(const CLI::App& command, const std::vector<std::string>& streams) {
  return streams.size() > 1 || command.count("--join") > 0 ||
         std::ranges::any_of(kMosaicOptions, [&](const char* name) { return command.count(name) > 0; });
}

void check_several_options(const CLI::App& command, const SeveralOptions& options,
                           const std::vector<std::string>& streams, bool follows) {
  if (options.join) {
    for (const auto* name : kMosaicOptions) {
      if (command.count(name) > 0) throw CLI::ValidationError(name, "is for a mosaic; --join makes none");
    }
    if (follows) throw CLI::ValidationError("--join", "does not go with --follow");
    if (std::set(streams.begin(), streams.end()).size() != streams.size())
      throw CLI::ValidationError("--join", "names a stream twice");
    if (streams.size() < 2) throw CLI::ValidationError("--join", "needs two streams or more");
  }
  if (!options.sound.empty() && std::ranges::find(streams, options.sound) == streams.end())
    throw CLI::ValidationError("--sound", "'" + options.sound + "' is none of the streams");
  if (!options.join) {
    auto grid = aggregator::make_grid(streams.size(), options.size, options.layout);
    if (!grid) throw CLI::ValidationError("mosaic", grid.error().message);
  }
}

}  // namespace gopline::cli
