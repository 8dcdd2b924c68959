#include "cli/log_factory.h"

#include <filesystem>

#include <unistd.h>

#include "common/base/text.h"
#include "common/log/embedded/embedded_log.h"
#include "common/log/kafka/kafka_log.h"
#include "common/log/null_log.h"
#include "common/log/routed_log.h"

namespace gopline::cli {
namespace {

Result<std::unique_ptr<Log>> open_folder(const std::string& folder, LogUse use) {
  std::error_code error;
  auto status = std::filesystem::status(folder, error);
  if (use == LogUse::kRead && status.type() == std::filesystem::file_type::not_found) {
    return fail(ErrorCode::kNotFound,
                "there is no log at '{}': split something into it first, or name another folder with --log "
                "or GOPLINE_LOG",
                folder);
  }
  if (std::filesystem::exists(status) && !std::filesystem::is_directory(status)) {
    return fail(ErrorCode::kInvalidArgument, "'{}' is a file, not a log: --log takes a folder", folder);
  }
  EmbeddedLogOptions options;
  options.directory = folder;
  options.create_if_missing = use == LogUse::kWrite;
  // A log that may only be looked at is looked at.
  options.read_only = use == LogUse::kRead && access(folder.c_str(), W_OK) != 0;
  auto opened = open_embedded_log(options);
  if (opened || use == LogUse::kWrite || opened.error().code != ErrorCode::kOutOfSpace) return opened;
  // Clearing up after a writer that died takes space; what it has left can be read without.
  options.read_only = true;
  return open_embedded_log(std::move(options));
}

constexpr std::string_view kKafka = "kafka://";

bool is_kafka(std::string_view url) {
  return url.starts_with(kKafka);
}

// Later properties win: the environment's are the most general, the URL's the most particular.
Result<KafkaLogOptions> kafka_options_of(const std::string& text, const LogOptions& options, StopToken stop) {
  GOPLINE_ASSIGN(auto url, parse_kafka_url(text));
  KafkaLogOptions kafka;
  kafka.brokers = url.brokers;
  kafka.stop = std::move(stop);
  kafka.properties = kafka_properties_from(environ);
  if (!options.kafka_config.empty()) {
    GOPLINE_ASSIGN(auto file, read_kafka_properties(options.kafka_config));
    kafka.properties.insert(kafka.properties.end(), file.begin(), file.end());
  }
  kafka.properties.insert(kafka.properties.end(), url.properties.begin(), url.properties.end());
  return kafka;
}

Result<std::unique_ptr<Log>> open_kafka(const std::string& text, const LogOptions& options, StopToken stop) {
  GOPLINE_ASSIGN(auto kafka, kafka_options_of(text, options, std::move(stop)));
  return open_kafka_log(std::move(kafka));
}

Result<std::unique_ptr<Log>> open_url(const std::string& url, std::string_view flag,
                                      const LogOptions& options, LogUse use, StopToken stop) {
  if (url.empty()) {
    return fail(ErrorCode::kInvalidArgument,
                "{} is empty: give a folder, {}HOST:PORT/NAMESPACE, or null:", flag, kKafka);
  }
  if (url == "null:") {
    if (use == LogUse::kWrite) return make_null_log();
    return fail(ErrorCode::kInvalidArgument,
                "null: keeps nothing, so there is nothing to read: give {} a folder or a Kafka cluster",
                flag);
  }
  if (is_kafka(url)) return open_kafka(url, options, std::move(stop));
  if (url.starts_with("file://")) return open_folder(url.substr(7), use);
  if (auto scheme = url.find("://"); scheme != std::string::npos) {
    return fail(
        ErrorCode::kUnsupported,
        "{} {}: this version has no log of the kind '{}': give a folder, {}HOST:PORT/NAMESPACE, or null:",
        flag, without_secrets(url), url.substr(0, scheme), kKafka);
  }
  return open_folder(url, use);
}

}  // namespace

Result<std::unique_ptr<Log>> open_log(const LogOptions& options, LogUse use, StopToken stop) {
  GOPLINE_ASSIGN(auto topics, topics_of(options));
  auto use_of_events = use == LogUse::kDerive ? LogUse::kWrite : use;
  if (use == LogUse::kDerive) use = LogUse::kRead;
  GOPLINE_ASSIGN(auto log, open_url(options.url, "--log", options, use, stop));
  std::map<std::string, std::unique_ptr<Log>> elsewhere;
  if (!options.index_url.empty()) {
    GOPLINE_ASSIGN(elsewhere[topics.index], open_url(options.index_url, "--index-log", options, use, stop));
  }
  if (!options.events_url.empty()) {
    GOPLINE_ASSIGN(elsewhere[topics.events],
                   open_url(options.events_url, "--events-log", options, use_of_events, stop));
  }
  if (elsewhere.empty()) return log;
  return make_routed_log(std::move(log), std::move(elsewhere));
}

bool is_kafka(const LogOptions& options) {
  return is_kafka(std::string_view(options.url));
}

Result<KafkaLogOptions> kafka_options(const LogOptions& options, StopToken stop) {
  return kafka_options_of(options.url, options, std::move(stop));
}

Result<std::string> namespace_of(const LogOptions& options) {
  std::string from_url;
  if (is_kafka(options)) {
    GOPLINE_ASSIGN(auto url, parse_kafka_url(options.url));
    from_url = std::move(url.topic_namespace);
  }
  const auto& given = options.topic_namespace;
  if (!given.empty() && !from_url.empty() && given != from_url) {
    return fail(ErrorCode::kInvalidArgument, "--namespace says '{}' and --log '{}': give one of them", given,
                from_url);
  }
  auto out = !given.empty() ? given : !from_url.empty() ? from_url : std::string(record::kDefaultNamespace);
  GOPLINE_TRY(record::check_namespace(out));
  if (options.files) return record::files_namespace(out);
  return out;
}

Result<std::string> files_namespace_of(const LogOptions& options) {
  auto files = options;
  files.files = true;
  return namespace_of(files);
}

Result<record::Topics> topics_of(const LogOptions& options) {
  GOPLINE_ASSIGN(auto name_space, namespace_of(options));
  return record::topics_of(name_space);
}

Result<OpenedLog> open_for_reading(const LogOptions& options, StopToken stop) {
  OpenedLog opened;
  GOPLINE_ASSIGN(opened.topics, topics_of(options));
  GOPLINE_ASSIGN(opened.log, open_log(options, LogUse::kRead, std::move(stop)));
  GOPLINE_ASSIGN(auto directory, catalog::StreamDirectory::read(*opened.log, opened.topics));
  opened.directory = std::make_unique<catalog::StreamDirectory>(std::move(directory));
  return opened;
}

}  // namespace gopline::cli
