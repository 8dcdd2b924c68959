#pragma once
#include <string>
#include <string_view>

#include <fmt/format.h>

// Log lines for operators, on standard error. A line names its stream or source. Thread-safe.
namespace gopline {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

void set_log_level(LogLevel level);
void log_line(LogLevel level, std::string_view subject, std::string_view message);

template <typename... Args>
void log_debug(std::string_view subject, fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::kDebug, subject, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_info(std::string_view subject, fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::kInfo, subject, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_warning(std::string_view subject, fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::kWarning, subject, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_error(std::string_view subject, fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::kError, subject, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace gopline
