#pragma once
#include <optional>
#include <string>
#include <vector>

#include "aggregator/selection.h"
#include "common/base/clock.h"
#include "common/payload/compressibility.h"
#include "common/payload/strategy.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

// Options that several commands share are declared here, so that they are spelled, checked and explained
// alike.
namespace gopline::cli {

struct LogOptions {
  std::string url = "./gopline-data";
  bool files = false;           // the namespace's files are meant, not its video
  std::string topic_namespace;  // empty: what the URL names, else "gopline"
  std::string index_url;        // where NS.index lies instead; empty: with the rest
  std::string events_url;       // where NS.events lies instead
  std::string kafka_config;     // a file of librdkafka's properties
};

// Where payloads lie that are not in the log.
struct BlobOptions {
  std::string url;        // a folder or s3://BUCKET/PREFIX; empty: where claim checks themselves say
  std::string s3_config;  // a file of settings for object stores
};

// How payloads travel.
struct PayloadOptions {
  BlobOptions blobs;
  payload::StrategySettings strategy;
  bool explain = false;
};

struct OutputOptions {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool json_log = false;  // what is said on standard error
};

void add_log_options(CLI::App& command, LogOptions& options);
void add_files_option(CLI::App& command, LogOptions& options);
void add_blob_options(CLI::App& command, BlobOptions& options);
void add_payload_options(CLI::App& command, PayloadOptions& options);  // with those for blobs
void add_compression_option(CLI::App& command, payload::Compression& compression);
void check_payload_options(const PayloadOptions& options);  // throws CLI::ValidationError
void add_json_option(CLI::App& command, OutputOptions& options);
void add_verbosity_options(CLI::App& command, OutputOptions& options);  // --quiet, --verbose
void add_log_format_option(CLI::App& command, OutputOptions& options);
void add_stream_argument(CLI::App& command, std::string& stream);
void add_streams_argument(CLI::App& command, std::vector<std::string>& streams);  // one or more

// Options with a value in words: "2s", "16MiB", "2026-11-22T18:30:00Z". A wrong one is a usage error that
// shows a right one.
CLI::Option* add_duration(CLI::App& command, const std::string& name, Duration& value,
                          const std::string& help);
CLI::Option* add_bytes(CLI::App& command, const std::string& name, std::uint64_t& value,
                       const std::string& help);
// The same where leaving it out means something: no bound.
CLI::Option* add_duration(CLI::App& command, const std::string& name, std::optional<Duration>& value,
                          const std::string& help);
CLI::Option* add_bytes(CLI::App& command, const std::string& name, std::optional<std::uint64_t>& value,
                       const std::string& help);
CLI::Option* add_time(CLI::App& command, const std::string& name, std::optional<Timestamp>& value,
                      const std::string& help);
CLI::Option* add_epoch_option(CLI::App& command, std::optional<aggregator::EpochSelection>& value,
                              const std::string& help);
CLI::Option* add_point_option(CLI::App& command, const std::string& name,
                              std::optional<aggregator::StreamPoint>& value, const std::string& help);

// Lets --verbose take effect.
void apply_verbosity(const OutputOptions& options);

// Sets the command's closing words: examples, then the exit codes.
void add_footer(CLI::App& command, const std::string& examples);

}  // namespace gopline::cli
