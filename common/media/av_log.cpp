#include "common/media/av_log.h"

#include <array>
#include <cstdarg>
#include <string_view>
#include <utility>

#include "common/base/logging.h"
#include "common/media/av.h"

namespace gopline::media {
namespace {

thread_local std::int64_t missed_rtp_packets = 0;  // libavformat reads RTSP on the thread that asks it to

// rtpdec.c: the message's only argument. A packet that comes twice makes it -1 modulo 2^16, nearly.
void count_missed(std::string_view format, va_list arguments) {
  if (!format.starts_with("RTP: missed %d packets")) return;
  va_list copy;
  va_copy(copy, arguments);
  int missed = va_arg(copy, int);
  va_end(copy);
  constexpr int kBehind = 0x8000;  // sequence numbers beyond lie before: RFC 1982
  if (missed < kBehind) missed_rtp_packets += missed;
}

void log_message(void* context, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_WARNING) return;
  count_missed(format, arguments);
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

std::int64_t take_missed_rtp_packets() {
  return std::exchange(missed_rtp_packets, 0);
}

}  // namespace gopline::media
