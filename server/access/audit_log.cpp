#include "server/access/audit_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include <nlohmann/json.hpp>

#include "common/base/logging.h"
#include "common/base/text.h"

namespace gopline::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr Duration kViewSpan = std::chrono::minutes(10);
constexpr std::size_t kMostViews = 100'000;

// In one write, so that lines of several servers do not mix.
Result<void> append(const std::filesystem::path& file, const std::string& line) {
  int descriptor = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return fail_errno(errno, file.string());
  auto written = ::write(descriptor, line.data(), line.size());
  auto why = written < 0 ? errno : ENOSPC;
  ::close(descriptor);
  if (written != static_cast<ssize_t>(line.size())) return fail_errno(why, file.string());
  return {};
}

}  // namespace

Result<std::unique_ptr<AuditLog>> AuditLog::open(AuditOptions options, const Clock& clock) {
  if (!options.file.empty()) GOPLINE_TRY(append(options.file, ""));
  return std::unique_ptr<AuditLog>(new AuditLog(std::move(options), clock));
}

Result<void> AuditLog::write(const AuditEntry& entry) {
  Json json{
      {"time", format_rfc3339(clock_.now())}, {"what", entry.what}, {"who", entry.who}, {"peer", entry.peer}};
  if (!entry.stream.empty()) json["stream"] = entry.stream;
  if (entry.from) json["from"] = format_rfc3339(*entry.from);
  if (entry.to) json["to"] = format_rfc3339(*entry.to);
  auto line = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (!options_.file.empty()) return append(options_.file, line + "\n");
  if (options_.to_log) log_line(LogLevel::kInfo, "audit", line);
  return {};
}

void AuditLog::note_view(const std::string& who, const std::string& peer, const std::string& stream,
                         Timestamp time) {
  auto span = time.time_since_epoch() / kViewSpan;
  {
    std::lock_guard lock(mutex_);
    if (viewed_.size() >= kMostViews) viewed_.clear();
    if (!viewed_.emplace(who, peer, stream, span).second) return;
  }
  Timestamp from(span * kViewSpan);
  if (auto written = write({"view", who, peer, stream, from, from + kViewSpan}); !written)
    log_error("audit", "{}: who views is not written down", written.error().message);
}

}  // namespace gopline::server
