#include "cli/log_factory.h"

#include <filesystem>

#include <unistd.h>

#include "common/base/text.h"
#include "common/log/embedded/embedded_log.h"
#include "common/log/null_log.h"

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

}  // namespace

Result<std::unique_ptr<Log>> open_log(const LogOptions& options, LogUse use) {
  const auto& url = options.url;
  if (url.empty()) return fail(ErrorCode::kInvalidArgument, "--log is empty: give a folder, or null:");
  if (url == "null:") {
    if (use == LogUse::kWrite) return make_null_log();
    return fail(ErrorCode::kInvalidArgument,
                "null: keeps nothing, so there is nothing to read: give --log a folder");
  }
  if (url.starts_with("file://")) return open_folder(url.substr(7), use);
  if (auto scheme = url.find("://"); scheme != std::string::npos) {
    return fail(ErrorCode::kUnsupported,
                "--log {}: this version has no log of the kind '{}': give a folder, or null:",
                without_secrets(url), url.substr(0, scheme));
  }
  return open_folder(url, use);
}

Result<record::Topics> topics_of(const LogOptions& options) {
  GOPLINE_TRY(record::check_namespace(options.topic_namespace));
  return record::topics_of(options.topic_namespace);
}

Result<OpenedLog> open_for_reading(const LogOptions& options) {
  OpenedLog opened;
  GOPLINE_ASSIGN(opened.topics, topics_of(options));
  GOPLINE_ASSIGN(opened.log, open_log(options, LogUse::kRead));
  GOPLINE_ASSIGN(auto directory, catalog::StreamDirectory::read(*opened.log, opened.topics));
  opened.directory = std::make_unique<catalog::StreamDirectory>(std::move(directory));
  return opened;
}

}  // namespace gopline::cli
