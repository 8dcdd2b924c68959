#include "cli/live_options.h"

#include <cstdlib>
#include <fstream>
#include <map>

#include <CLI/CLI.hpp>

#include "cli/options.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kUnreserved = "-._~";
  std::string out;
  for (char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 kUnreserved.find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

void add_live_options(CLI::App& command, LiveCliOptions& options) {
  command.add_flag(
      "--live", options.live,
      "Take every source as live: connect again when it ends, wait for nothing. rtsp, rtmp, srt, udp "
      "and rtp always are");
  command
      .add_option("--rtsp-transport", options.common.transport,
                  "What carries RTSP's packets; udp falls back to tcp where nothing comes")
      ->transform(CLI::CheckedTransformer(std::map<std::string, splitter::RtspTransport>{
          {"tcp", splitter::RtspTransport::kTcp}, {"udp", splitter::RtspTransport::kUdp}}))
      ->default_str("tcp")
      ->type_name("tcp|udp");
  add_duration(command, "--source-timeout", options.common.patience,
               "A live source that says nothing for so long is hung")
      ->default_str("10s");
  add_bytes(
      command, "--max-waiting-bytes", options.common.max_waiting_bytes,
      "Of each live source's segments that the log has not taken yet; beyond, the oldest GOPs are dropped. "
      "Default: 64MiB, and from 32 sources on their share of 2GiB, but not less than 4MiB");
  command
      .add_option(
          "--spill", options.common.spill,
          "A folder that takes what the log cannot take now, up to --spill-bytes and --spill-age of each "
          "stream; the next run goes on with what is left in it")
      ->type_name("DIR");
  add_bytes(command, "--spill-bytes", options.common.spill_bytes, "Beyond this the oldest GOPs are dropped")
      ->default_str("10GiB");
  add_duration(command, "--spill-age", options.common.spill_age,
               "So are those older than the newest by more than this")
      ->default_str("24h");
  command
      .add_option(
          "--credentials", options.credentials,
          "A file with USER:PASSWORD for live sources whose URL has none. Else GOPLINE_SOURCE_USER and "
          "GOPLINE_SOURCE_PASSWORD, if set")
      ->type_name("FILE");
  command
      .add_option("--input-option", options.input_options,
                  "An option of FFmpeg's for opening live sources, such as buffer_size=2000000")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

void add_latency_options(CLI::App& command, splitter::SegmenterOptions& options) {
  command
      .add_option("--latency", options.latency,
                  "low: parts of a segment leave while it is still open, so that readers need not wait for "
                  "its end")
      ->transform(CLI::CheckedTransformer(std::map<std::string, splitter::Latency>{
          {"low", splitter::Latency::kLow}, {"normal", splitter::Latency::kNormal}}))
      ->default_str("normal")
      ->type_name("low|normal");
  auto take = [&options](const std::string& text) {
    auto duration = parse_part_duration(text);
    if (!duration) throw CLI::ValidationError("--part-duration", duration.error().message);
    options.part_duration = *duration;
  };
  command
      .add_option_function<std::string>("--part-duration", take,
                                        "With --latency low: how long a part is, 200ms to 500ms")
      ->default_str("300ms")
      ->type_name("DURATION");
}

void check_latency_options(const splitter::SegmenterOptions& options,
                           const payload::StrategySettings& payload) {
  if (options.latency == splitter::Latency::kLow && payload.strategy == payload::Strategy::kClaim) {
    throw CLI::ValidationError("--latency low",
                               "a payload that lies outside of the log (--payload claim) leaves whole");
  }
}

Result<Duration> parse_part_duration(std::string_view text) {
  GOPLINE_ASSIGN(auto duration, parse_duration(text));
  if (duration < splitter::kShortestPart || duration > splitter::kLongestPart)
    return fail(ErrorCode::kInvalidArgument, "'{}': a part has 200ms to 500ms", text);
  return duration;
}

Result<splitter::LiveOptions> live_options_of(const LiveCliOptions& options) {
  auto live = options.common;
  for (const auto& option : options.input_options) {
    auto equals = option.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(ErrorCode::kInvalidArgument, "--input-option {}: is not KEY=VALUE", option);
    live.input_options.emplace_back(option.substr(0, equals), option.substr(equals + 1));
  }
  return live;
}

Result<std::string> login_in_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail_errno(errno, path);
  std::string line;
  std::getline(file, line);
  if (line.ends_with('\r')) line.pop_back();
  if (line.find(':') == std::string::npos)
    return fail(ErrorCode::kInvalidArgument, "{}: its first line is not USER:PASSWORD", path);
  return line;
}

Result<std::optional<std::string>> source_login(const LiveCliOptions& options) {
  if (!options.credentials.empty()) {
    GOPLINE_ASSIGN(auto login, login_in_file(options.credentials));
    return login;
  }
  const char* user = std::getenv("GOPLINE_SOURCE_USER");
  const char* password = std::getenv("GOPLINE_SOURCE_PASSWORD");
  if (!user) return std::nullopt;
  return fmt::format("{}:{}", user, password ? password : "");
}

std::string with_login(const std::string& url, const std::string& login) {
  auto scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  auto authority = scheme + 3;
  auto end = url.find_first_of("/?#", authority);
  if (url.substr(authority, end == std::string::npos ? end : end - authority).find('@') != std::string::npos)
    return url;
  auto colon = login.find(':');
  return fmt::format("{}{}:{}@{}", url.substr(0, authority), percent_encoded(login.substr(0, colon)),
                     percent_encoded(login.substr(colon + 1)), url.substr(authority));
}

}  // namespace gopline::cli
