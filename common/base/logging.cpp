#include "common/base/logging.h"

#include <atomic>
#include <mutex>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <nlohmann/json.hpp>

#include "common/base/clock.h"
#include "common/base/log_repeats.h"
#include "common/base/text.h"

namespace gopline {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string json_line(LogLevel level, std::string_view subject, std::string_view message,
                      std::int64_t repeated) {
  nlohmann::ordered_json line;
  line["time"] = format_rfc3339(SystemClock().now());
  line["level"] = to_string(level);
  line["stream"] = subject;
  line["message"] = message;
  if (repeated > 0) line["repeated"] = repeated;
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// Standard error, and what is known of the lines that went there.
class Console {
 public:
  Console() { set_format(LogFormat::kText); }
  ~Console() { say_all(repeats_.take_all()); }
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  void set_level(LogLevel level) { logger_->set_level(spdlog_level(level)); }
  void set_format(LogFormat format) {
    is_json_ = format == LogFormat::kJson;
    logger_->set_pattern(is_json_ ? "%v" : "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  }

  void take(LogLevel level, std::string_view subject, std::string_view message, std::string_view wording) {
    if (!logger_->should_log(spdlog_level(level))) return;
    std::lock_guard lock(mutex_);
    auto now = SystemClock().steady_now();
    say_all(repeats_.take_finished(now));
    if (level == LogLevel::kDebug || repeats_.should_say(level, subject, message, wording, now)) {
      say(level, subject, message, 0);
    }
  }
  void say_finished() {
    std::lock_guard lock(mutex_);
    say_all(repeats_.take_finished(SystemClock().steady_now()));
  }

 private:
  void say_all(const std::vector<LogRepeats::Summary>& summaries) {
    for (const auto& [level, subject, message, times] : summaries) say(level, subject, message, times);
  }
  void say(LogLevel level, std::string_view subject, std::string_view message, std::int64_t repeated) {
    if (is_json_) {
      logger_->log(spdlog_level(level), "{}", json_line(level, subject, message, repeated));
    } else if (repeated > 0) {
      logger_->log(spdlog_level(level), "{}: {} (repeated {} times)", subject, message, repeated);
    } else {
      logger_->log(spdlog_level(level), "{}: {}", subject, message);
    }
  }

  const std::shared_ptr<spdlog::logger> logger_ = spdlog::stderr_color_mt("gopline");
  std::atomic<bool> is_json_ = false;
  std::mutex mutex_;
  LogRepeats repeats_;
};

Console& console() {
  static Console instance;
  return instance;
}

}  // namespace

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "";
}

std::optional<LogFormat> log_format_from(std::string_view text) {
  if (text == "text") return LogFormat::kText;
  if (text == "json") return LogFormat::kJson;
  return std::nullopt;
}

void set_log_level(LogLevel level) {
  console().set_level(level);
}

void set_log_format(LogFormat format) {
  console().set_format(format);
}

void log_line(LogLevel level, std::string_view subject, std::string_view message, std::string_view wording) {
  console().take(level, subject, message, wording);
}

void log_repeats_that_are_over() {
  console().say_finished();
}

}  // namespace gopline
