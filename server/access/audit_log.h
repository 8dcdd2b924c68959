#pragma once
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "common/base/clock.h"
#include "common/base/result.h"

namespace gopline::server {

// Who did what.
struct AuditEntry {
  std::string_view what;  // "view", "export", "snapshot", "login", "login-failed", "link"
  std::string who;        // as they said, where that is not proved
  std::string peer;       // the client's address
  std::string stream;     // empty: of none
  std::optional<Timestamp> from, to;
};

struct AuditOptions {
  std::filesystem::path file;  // appended to; it may be moved away, and is then made anew
  bool to_log = true;          // without a file, the program's own log has it
};

// A line of JSON for each deed. Thread-safe.
class AuditLog {
 public:
  // `clock` outlives it. The file can be written, or the error says why not.
  static Result<std::unique_ptr<AuditLog>> open(AuditOptions options, const Clock& clock);

  // The line is with the operating system. An error: it is not, and what it is about had better not happen.
  Result<void> write(const AuditEntry& entry);

  // Somebody was given footage that was taken then: a line for each ten minutes of it, and not for each
  // segment. What was said is forgotten when it is too much, and then said again.
  void note_view(const std::string& who, const std::string& peer, const std::string& stream, Timestamp time);

 private:
  AuditLog(AuditOptions options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}

  using View = std::tuple<std::string, std::string, std::string, std::int64_t>;
  const AuditOptions options_;
  const Clock& clock_;
  std::mutex mutex_;
  std::set<View> viewed_;
};

}  // namespace gopline::server
