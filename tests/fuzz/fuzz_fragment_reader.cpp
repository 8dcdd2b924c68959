// read_init and read_fragments on arbitrary bytes: no crash, and every packet lies inside the segment.
#include <cstdlib>

#include "common/media/segment_reader.h"

using gopline::Buffer;
using gopline::media::Track;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto segment = Buffer::copy(std::span(data, size));
  std::vector<Track> tracks(2);
  for (int i = 0; i < 2; ++i) {
    tracks[static_cast<std::size_t>(i)].id = i + 1;
    tracks[static_cast<std::size_t>(i)].time_base = {i == 0 ? 1 : 1001, 30000};
  }
  if (auto init = gopline::media::read_init(segment); init && init->bytes.size() > size) std::abort();
  auto fragments = gopline::media::read_fragments(segment, tracks);
  if (!fragments) return 0;
  for (const auto& fragment : *fragments) {
    for (const auto& packet : fragment.packets) {
      if (packet.data.empty()) continue;
      if (packet.data.data() < segment.data() ||
          packet.data.data() + packet.data.size() > segment.data() + size)
        std::abort();
    }
  }
  return 0;
}
