#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aggregator/outputs/live_output.h"
#include "cli/command.h"
#include "common/base/result.h"

namespace gopline::cli {

// Outputs that are no files: receivers in the network, and the RTSP server.
struct LiveOutputOptions {
  std::vector<std::string> output_options;  // KEY=VALUE of libavformat's
  std::string serve;                        // rtsp://HOST:PORT/NAME
  std::string credentials;                  // a file with USER:PASSWORD
};

void add_live_output_options(CLI::App& command, LiveOutputOptions& options);

// A place where packets go instead of into a file.
struct Receiver {
  std::unique_ptr<aggregator::LiveOutput> output;
  std::string name;    // for messages: no secrets
  std::string format;  // "mpegts", "flv", "rtsp"
};

// What `output`, as --output says it, or --serve asks for; nullopt: a file. `follows`: a receiver that goes
// away is waited for, else it is an error. kInvalidArgument, kUnsupported: what of it is wrong, before
// anything is read.
Result<std::optional<Receiver>> open_receiver(const std::string& stream, const std::string& output,
                                              const LiveOutputOptions& options, bool follows,
                                              const Environment& environment);

}  // namespace gopline::cli
