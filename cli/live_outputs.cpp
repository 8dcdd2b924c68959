#include "cli/live_outputs.h"

#include <CLI/CLI.hpp>

#include "aggregator/outputs/output_url.h"
#include "aggregator/outputs/paced_output.h"
#include "aggregator/outputs/push_delivery.h"
#include "cli/console.h"
#include "cli/display_width.h"
#include "cli/live_options.h"
#ifdef GOPLINE_RTSP_SERVER
#include "server/rtsp/rtsp_server.h"
#endif

namespace gopline::cli {
namespace {

using aggregator::PacedOptions;
using aggregator::PacedOutput;

Result<std::vector<std::pair<std::string, std::string>>> pairs_of(const std::vector<std::string>& options) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& option : options) {
    auto equals = option.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(ErrorCode::kInvalidArgument, "--output-option {}: is not KEY=VALUE", option);
    pairs.emplace_back(option.substr(0, equals), option.substr(equals + 1));
  }
  return pairs;
}

Result<Receiver> open_push(const std::string& stream, aggregator::OutputUrl url,
                           const LiveOutputOptions& options, bool follows, const Environment& environment) {
  if (!media::knows_protocol(url.scheme)) {
    return fail(ErrorCode::kUnsupported,
                "{}: this FFmpeg was built without {}; `ffmpeg -protocols` lists what it has", url.name,
                url.scheme);
  }
  aggregator::PushOptions push;
  push.stream = stream;
  push.tries_again = follows;
  push.target.name = url.name;
  push.target.format = url.format;
  GOPLINE_ASSIGN(push.target.options, pairs_of(options.output_options));
  push.target.url = std::move(url.url);
  if (!options.credentials.empty()) {
    GOPLINE_ASSIGN(auto login, login_in_file(options.credentials));
    push.target.url = with_login(push.target.url, login);
  }
  auto delivery =
      std::make_unique<aggregator::PushDelivery>(std::move(push), environment.clock, environment.stop);
  PacedOptions pace;
  pace.stream = stream;
  return Receiver{
      std::make_unique<PacedOutput>(std::move(delivery), pace, environment.clock, environment.stop),
      std::move(url.name), std::move(url.format)};
}

#ifdef GOPLINE_RTSP_SERVER

// The server lives as long as what is served there.
class ServedOutput final : public aggregator::LiveOutput {
 public:
  ServedOutput(std::unique_ptr<server::RtspServer> server, std::unique_ptr<LiveOutput> output)
      : server_(std::move(server)), output_(std::move(output)) {}
  Result<void> begin_run(aggregator::LiveRun run) override { return output_->begin_run(std::move(run)); }
  Result<void> write(media::LivePacket packet) override { return output_->write(std::move(packet)); }
  Result<void> finish() override { return output_->finish(); }
  aggregator::LiveOutputStats stats() const override { return output_->stats(); }

 private:
  std::unique_ptr<server::RtspServer> server_;
  std::unique_ptr<LiveOutput> output_;
};

Result<Receiver> open_server(const std::string& stream, const LiveOutputOptions& options,
                             const Environment& environment) {
  GOPLINE_ASSIGN(auto address, server::parse_rtsp_url(options.serve, stream));
  server::RtspOptions serving{address.host, address.port, {}};
  if (!options.credentials.empty()) {
    GOPLINE_ASSIGN(serving.login, login_in_file(options.credentials));
  }
  GOPLINE_ASSIGN(auto server, server::RtspServer::start(serving));
  auto name = server->url_of(address.name);
  print_note(fmt::format("serving {} at {}\n", printable(stream), printable(name)));
  PacedOptions pace;
  pace.stream = stream;
  auto output = std::make_unique<PacedOutput>(server->mount(address.name, stream), pace, environment.clock,
                                              environment.stop);
  return Receiver{std::make_unique<ServedOutput>(std::move(server), std::move(output)), std::move(name),
                  "rtsp"};
}

#else

Result<Receiver> open_server(const std::string&, const LiveOutputOptions&, const Environment&) {
  return fail(
      ErrorCode::kUnsupported,
      "--serve: this gopline was built without GStreamer's RTSP server library; `./dev build` has it");
}

#endif

}  // namespace

void add_live_output_options(CLI::App& command, LiveOutputOptions& options) {
  command
      .add_option("--serve", options.serve,
                  "Be an RTSP server from which players and recorders pull the stream, instead of --output")
      ->type_name("rtsp://HOST:PORT/NAME");
  command
      .add_option("--output-option", options.output_options,
                  "An option of FFmpeg's for a receiver in the network, such as latency=200000")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command
      .add_option("--credentials", options.credentials,
                  "A file with USER:PASSWORD: for an --output URL that has none, or what --serve asks for")
      ->type_name("FILE");
}

Result<std::optional<Receiver>> open_receiver(const std::string& stream, const std::string& output,
                                              const LiveOutputOptions& options, bool follows,
                                              const Environment& environment) {
  if (!options.serve.empty()) return open_server(stream, options, environment);
  GOPLINE_ASSIGN(auto url, aggregator::parse_output_url(output));
  if (url) return open_push(stream, std::move(*url), options, follows, environment);
  if (!options.output_options.empty() || !options.credentials.empty()) {
    return fail(
        ErrorCode::kInvalidArgument,
        "--output-option and --credentials go with --serve and with outputs in the network, not with a file");
  }
  return std::nullopt;
}

}  // namespace gopline::cli
