#include "common/media/av_log.h"

#include <array>
#include <cstdarg>

#include "common/base/logging.h"
#include "common/media/av.h"

namespace gopline::media {
namespace {

void log_message(void* context, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_WARNING) return;
  std::array<char, 1024> line{};
  int print_prefix = 1;
  av_log_format_line2(context, level, format, arguments, line.data(), static_cast<int>(line.size()),
                      &print_prefix);
  std::string_view text(line.data());
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if (!text.empty()) log_line(LogLevel::kDebug, "ffmpeg", text);
}

}  // namespace

void route_ffmpeg_messages() {
  av_log_set_callback(log_message);
}

}  // namespace gopline::media
