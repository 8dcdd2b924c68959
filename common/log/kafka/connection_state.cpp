#include "common/log/kafka/connection_state.h"

#include "common/base/logging.h"

namespace gopline::kafka {
namespace {

constexpr auto kQuiet = std::chrono::seconds(10);
constexpr int kSyslogWarning = 4;

}  // namespace

std::optional<std::string> ConnectionState::worth_saying(const std::string& kind, std::string text) {
  std::lock_guard lock(mutex_);
  auto now = std::chrono::steady_clock::now();
  auto [found, is_new] = seen_.try_emplace(kind, Seen{now, 0});
  if (!is_new && now - found->second.said < kQuiet) {
    ++found->second.since;
    return std::nullopt;
  }
  if (found->second.since > 0) text += fmt::format(" ({} more of this since)", found->second.since);
  found->second = {now, 0};
  return text;
}

void ConnectionState::on_error(rd_kafka_resp_err_t error, const char* reason) {
  if (is_unknown_topic(error)) {
    missing_topic_ = true;  // the reader that asked finds out which, and says so
    return log_debug(subject_, "{}", reason);
  }
  ++troubles_;
  {
    std::lock_guard lock(mutex_);
    trouble_ = reason;
    if (code_of(error) == ErrorCode::kPermissionDenied && !refusal_) refusal_ = error_of(error, reason);
  }
  // A fatal error reaches the caller of the call that it fails; it is logged all the same.
  if (auto text = worth_saying(rd_kafka_err2name(error), reason)) log_warning(subject_, "{}", *text);
}

void ConnectionState::on_log(int level, const char* facility, const char* text) {
  // The same comes as an error, or is a remark on a property that only the other kind of client reads.
  // GETPID: a cluster that has just started needs a moment before it takes producers. PARTDEL: what was
  // fetched of a topic that has been deleted is thrown away, and poll() tells of the topic.
  bool is_repeated = std::string_view(facility) == "FAIL" || std::string_view(facility) == "ERROR" ||
                     std::string_view(facility) == "CONFWARN" || std::string_view(facility) == "GETPID" ||
                     std::string_view(facility) == "PARTDEL";
  if (level > kSyslogWarning || is_repeated) return log_debug(subject_, "{}: {}", facility, text);
  if (auto said = worth_saying(facility, text)) log_warning(subject_, "{}", *said);
}

std::optional<Error> ConnectionState::refusal() const {
  std::lock_guard lock(mutex_);
  return refusal_;
}

std::string ConnectionState::trouble() const {
  std::lock_guard lock(mutex_);
  return trouble_;
}

}  // namespace gopline::kafka
