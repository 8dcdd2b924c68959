#include "cli/options.h"

#include <CLI/CLI.hpp>

#include "cli/exit_codes.h"
#include "cli/stream_part.h"
#include "common/base/logging.h"
#include "common/base/text.h"
#include "common/record/stream_id.h"

namespace gopline::cli {
namespace {

// An option whose text `parse` turns into a value.
template <typename Value, typename Parse>
CLI::Option* add_parsed(CLI::App& command, const std::string& name, Value& value, const std::string& help,
                        Parse parse) {
  return command.add_option_function<std::string>(
      name,
      [&value, name, parse](const std::string& text) {
        auto parsed = parse(text);
        if (!parsed) throw CLI::ValidationError(name, parsed.error().message);
        value = *parsed;
      },
      help);
}

Result<Duration> parse_positive_duration(std::string_view text) {
  GOPLINE_ASSIGN(auto duration, parse_duration(text));
  if (duration > Duration::zero()) return duration;
  return fail(ErrorCode::kInvalidArgument, "'{}' is not a duration above zero, like 500ms or 2s", text);
}

Result<std::uint64_t> parse_positive_bytes(std::string_view text) {
  GOPLINE_ASSIGN(auto bytes, parse_bytes(text));
  if (bytes > 0) return bytes;
  return fail(ErrorCode::kInvalidArgument, "'{}' is not a size above zero, like 16MiB", text);
}

// Empty: none.
std::string complaint_about_stream(const std::string& id) {
  auto good = record::check_stream_id(id);
  return good ? std::string() : good.error().message;
}

}  // namespace

void add_log_options(CLI::App& command, LogOptions& options) {
  command
      .add_option(
          "--log", options.url,
          "Where records are kept: a folder, kafka://HOST:PORT[,...]/NAMESPACE, or null: to discard them")
      ->envname("GOPLINE_LOG")
      ->type_name("URL")
      ->capture_default_str();
  command.add_option("--index-log", options.index_url, "Where the index is kept, if not with the rest")
      ->envname("GOPLINE_INDEX_LOG")
      ->type_name("URL");
  command.add_option("--events-log", options.events_url, "Where events are kept, if not with the rest")
      ->envname("GOPLINE_EVENTS_LOG")
      ->type_name("URL");
  command
      .add_option("--kafka-config", options.kafka_config,
                  "A file of librdkafka's properties, name=value: logins, certificates, tuning")
      ->envname("GOPLINE_KAFKA_CONFIG")
      ->type_name("FILE");
  command.add_option("--namespace", options.topic_namespace, "Prefix of the topics' names. Default: gopline")
      ->type_name("NS");
}

void add_files_option(CLI::App& command, LogOptions& options) {
  command.add_flag("--files", options.files, "Of files that were put, not of video");
}

void add_blob_options(CLI::App& command, BlobOptions& options) {
  command
      .add_option(
          "--blobs", options.url,
          "Where claim checks lie: a folder or s3://BUCKET/PREFIX. Readers need it only where the folder "
          "has moved")
      ->envname("GOPLINE_BLOBS")
      ->type_name("URL");
  command
      .add_option("--s3-config", options.s3_config,
                  "A file of settings for s3://: endpoint, keys, encryption")
      ->envname("GOPLINE_S3_CONFIG")
      ->type_name("FILE");
}

void add_payload_options(CLI::App& command, PayloadOptions& options) {
  add_parsed(command, "--payload", options.strategy.strategy,
             "How payloads travel: in one record, in several, or beside the log (with --blobs)",
             payload::strategy_from)
      ->default_str("auto")
      ->type_name("auto|inline|chunk|claim");
  add_bytes(command, "--chunk-bytes", options.strategy.chunk_bytes, "Size of a chunk")->default_str("2MiB");
  add_bytes(command, "--inline-bytes", options.strategy.inline_bytes,
            "auto: up to this in one record. Default: what the log is comfortable with");
  add_bytes(command, "--claim-bytes", options.strategy.claim_bytes,
            "auto: from this on beside the log, if there is --blobs. Default: 32MiB");
  command.add_flag("--explain", options.explain, "Say how payloads travelled, and why");
  add_blob_options(command, options.blobs);
}

void add_compression_option(CLI::App& command, payload::Compression& compression) {
  add_parsed(command, "--compression", compression,
             "Whether a log that can (Kafka) compresses: by a sample, never, or always. Media never shrink",
             payload::compression_from)
      ->default_str("auto")
      ->type_name("auto|none|zstd");
}

void check_payload_options(const PayloadOptions& options) {
  if (options.strategy.strategy == payload::Strategy::kClaim && options.blobs.url.empty()) {
    throw CLI::ValidationError(
        "--payload claim", "needs a place for the payloads: add --blobs DIR or --blobs s3://BUCKET/PREFIX");
  }
}

void add_json_option(CLI::App& command, OutputOptions& options) {
  command.add_flag("--json", options.json, "Print one JSON document instead of a table");
}

void add_verbosity_options(CLI::App& command, OutputOptions& options) {
  auto* quiet = command.add_flag("-q,--quiet", options.quiet, "No progress; errors only");
  command.add_flag("-v,--verbose", options.verbose, "Say more about what is done")->excludes(quiet);
}

void add_log_format_option(CLI::App& command, OutputOptions& options) {
  command
      .add_option_function<std::string>(
          "--log-format", [&options](const std::string& name) { options.json_log = name == "json"; },
          "Of what is said on standard error: lines of text with progress, or one JSON object for each event")
      ->check(CLI::IsMember({"text", "json"}))
      ->default_str("text")
      ->type_name("text|json");
}

void add_stream_argument(CLI::App& command, std::string& stream) {
  command.add_option("STREAM", stream, "The stream's id, as `gopline streams` lists it")
      ->required()
      ->type_name("")
      ->check(complaint_about_stream);
}

void add_streams_argument(CLI::App& command, std::vector<std::string>& streams) {
  command.add_option("STREAM", streams, "The stream's id, as `gopline streams` lists it; several: a mosaic")
      ->required()
      ->type_name("")
      ->check(complaint_about_stream);
}

CLI::Option* add_duration(CLI::App& command, const std::string& name, Duration& value,
                          const std::string& help) {
  return add_parsed(command, name, value, help, parse_positive_duration)->type_name("DURATION");
}

CLI::Option* add_bytes(CLI::App& command, const std::string& name, std::uint64_t& value,
                       const std::string& help) {
  return add_parsed(command, name, value, help, parse_positive_bytes)->type_name("BYTES");
}

CLI::Option* add_duration(CLI::App& command, const std::string& name, std::optional<Duration>& value,
                          const std::string& help) {
  return add_parsed(command, name, value, help, parse_positive_duration)->type_name("DURATION");
}

CLI::Option* add_bytes(CLI::App& command, const std::string& name, std::optional<std::uint64_t>& value,
                       const std::string& help) {
  return add_parsed(command, name, value, help, parse_positive_bytes)->type_name("BYTES");
}

CLI::Option* add_time(CLI::App& command, const std::string& name, std::optional<Timestamp>& value,
                      const std::string& help) {
  return add_parsed(command, name, value, help, parse_rfc3339)->type_name("TIME");
}

CLI::Option* add_epoch_option(CLI::App& command, std::optional<aggregator::EpochSelection>& value,
                              const std::string& help) {
  return add_parsed(command, "--epoch", value, help, parse_epoch)->type_name("N|latest|all");
}

CLI::Option* add_point_option(CLI::App& command, const std::string& name,
                              std::optional<aggregator::StreamPoint>& value, const std::string& help) {
  return add_parsed(command, name, value, help, parse_point)->type_name("TIME|OFFSET");
}

void apply_verbosity(const OutputOptions& options) {
  set_log_format(options.json_log ? LogFormat::kJson : LogFormat::kText);
  set_log_level(options.verbose ? LogLevel::kDebug : options.quiet ? LogLevel::kError : LogLevel::kWarning);
}

void add_footer(CLI::App& command, const std::string& examples) {
  command.footer("Examples:\n" + examples + "\n" + std::string(kExitCodesHelp));
}

}  // namespace gopline::cli
