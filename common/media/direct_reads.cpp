#include "common/media/direct_reads.h"

#include <cstdint>

namespace gopline::media {
namespace {

constexpr int kSmallBuffer = 4 << 10;
// A read of this size costs less than a copy of as much.
constexpr std::int64_t kWorthARead = 16 << 10;

}  // namespace

bool read_large_packets_directly(AVFormatContext& input) {
  if (!input.pb || !(input.pb->seekable & AVIO_SEEKABLE_NORMAL) || input.pb->buffer_size <= kSmallBuffer)
    return false;
  std::int64_t bytes = 0, through_buffer = 0, reads = 0;
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    auto count = avformat_index_get_entries_count(input.streams[i]);
    for (int at = 0; at < count; ++at) {
      auto size = avformat_index_get_entry(input.streams[i], at)->size;
      bytes += size;
      if (size > kSmallBuffer)
        ++reads;
      else
        through_buffer += size;
    }
  }
  reads += through_buffer / kSmallBuffer;
  // An index of key frames alone, as Matroska's, says nothing of sizes.
  if (reads == 0 || bytes / reads < kWorthARead) return false;
  input.pb->buffer_size = kSmallBuffer;
  return true;
}

}  // namespace gopline::media
