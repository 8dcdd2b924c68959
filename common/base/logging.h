#pragma once
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

// Log lines for operators, on standard error. A line names its stream or source. Repeats (log_repeats.h) of
// all but debug lines are counted instead of said. Thread-safe.
namespace gopline {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
std::string_view to_string(LogLevel level);  // "debug", "info", "warning", "error"

// kJson: {"time": RFC 3339 in UTC, "level", "stream", "message"} in one line, with "repeated" in a line that
// stands for others.
enum class LogFormat { kText, kJson };
std::optional<LogFormat> log_format_from(std::string_view text);  // "text", "json"

void set_log_level(LogLevel level);
void set_log_format(LogFormat format);

// `wording`: what lines that differ only in their details have in common; empty: the message itself.
void log_line(LogLevel level, std::string_view subject, std::string_view message,
              std::string_view wording = {});

// Says how often lines were repeated whose time is over. Every line that is said does this too, and the
// program's end does it for all: this is for a program that may be silent for long after a storm.
void log_repeats_that_are_over();

inline std::string_view wording_of(fmt::string_view format) {
  return {format.data(), format.size()};
}

template <typename... Args>
void log_debug(std::string_view subject, fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::kDebug, subject, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_info(std::string_view subject, fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::kInfo, subject, fmt::format(format, std::forward<Args>(args)...), wording_of(format));
}
template <typename... Args>
void log_warning(std::string_view subject, fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::kWarning, subject, fmt::format(format, std::forward<Args>(args)...), wording_of(format));
}
template <typename... Args>
void log_error(std::string_view subject, fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::kError, subject, fmt::format(format, std::forward<Args>(args)...), wording_of(format));
}

}  // namespace gopline
