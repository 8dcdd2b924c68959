#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "splitter/live/live_split.h"

namespace CLI {
class App;
}  // namespace CLI

namespace gopline::cli {

// How live sources are read.
struct LiveCliOptions {
  bool live = false;  // sources that are not known to be live by their URL are taken as live too
  splitter::LiveOptions common;
  std::vector<std::string> input_options;  // KEY=VALUE of libavformat's
  std::string credentials;                 // a file with USER:PASSWORD
};

void add_live_options(CLI::App& command, LiveCliOptions& options);

// --latency and --part-duration, of sources of any kind.
void add_latency_options(CLI::App& command, splitter::SegmenterOptions& options);
// Throws CLI::ValidationError where parts cannot travel as they are asked to.
void check_latency_options(const splitter::SegmenterOptions& options,
                           const payload::StrategySettings& payload);

// "300ms". kInvalidArgument: no duration, or outside of what parts may have.
Result<Duration> parse_part_duration(std::string_view text);

// What the options come to, files read. kInvalidArgument, kNotFound: which of them is wrong.
Result<splitter::LiveOptions> live_options_of(const LiveCliOptions& options);

// The first line of a file: USER:PASSWORD. kInvalidArgument: it is something else.
Result<std::string> login_in_file(const std::string& path);

// USER:PASSWORD for sources that have none in their URL: the file's, else GOPLINE_SOURCE_USER and
// GOPLINE_SOURCE_PASSWORD of the environment. nullopt: there is none.
Result<std::optional<std::string>> source_login(const LiveCliOptions& options);

// The URL with a login, percent-encoded (RFC 3986, section 3.2.1), where it has none yet.
std::string with_login(const std::string& url, const std::string& login);

}  // namespace gopline::cli
