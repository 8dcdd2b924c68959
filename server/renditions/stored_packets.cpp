#include "server/renditions/stored_packets.h"

#include <algorithm>
#include <optional>

#include "common/media/segment_reader.h"

namespace gopline::server {
namespace {

Result<std::vector<StoredPacket>> packets_of_mp4(const Buffer& bytes, const std::vector<media::Track>& tracks,
                                                 std::size_t index) {
  GOPLINE_ASSIGN(auto fragments, media::read_fragments(bytes, tracks));
  const auto& track = tracks[index];
  std::vector<StoredPacket> packets;
  for (auto& fragment : fragments) {
    if (fragment.track_id != track.id || fragment.times.empty()) continue;
    auto count = std::min(fragment.packets.size(), fragment.times.size());
    for (std::size_t i = 0; i < count; ++i) {
      StoredPacket stored;
      stored.time = fragment.times[i];
      stored.end = i + 1 < count ? fragment.times[i + 1] : fragment.base_time + fragment.duration;
      stored.packet = std::move(fragment.packets[i]);
      const auto& pts = stored.packet.pts;
      stored.shown = pts ? (*pts - fragment.origin) * track.time_base.num : stored.time;
      packets.push_back(std::move(stored));
    }
  }
  return packets;
}

std::optional<std::int64_t> ticks_of(const media::Packet& packet) {
  return packet.dts ? packet.dts : packet.pts;
}

// The source's second that is the timeline's zero: the main track's first packet lies at `start`.
std::optional<Rational> zero_in(const std::vector<media::Packet>& packets, Rational start, int main,
                                Rational time_base) {
  for (const auto& packet : packets) {
    auto ticks = packet.track == main ? ticks_of(packet) : std::nullopt;
    if (ticks) return ticks_to_seconds(*ticks - rescale(start.num, {1, start.den}, time_base), time_base);
  }
  return std::nullopt;
}

Result<std::vector<StoredPacket>> packets_of_nut(const StoredMedia& media,
                                                 const std::vector<media::Track>& tracks, std::size_t index) {
  GOPLINE_ASSIGN(auto unpacked, media::unpack_segment(media.bytes, "video/x-nut", tracks));
  auto main = media::main_track_of(tracks);
  auto zero = zero_in(unpacked, media.start, main, tracks[static_cast<std::size_t>(main)].time_base);
  const auto& base = tracks[index].time_base;
  auto origin = zero ? floor_div(*zero, base) : 0;
  std::vector<StoredPacket> packets;
  for (auto& packet : unpacked) {
    if (packet.track != static_cast<int>(index)) continue;
    auto earliest = packets.empty() ? 0 : packets.back().time;
    auto expected = packets.empty() ? 0 : packets.back().end;
    auto ticks = ticks_of(packet);
    StoredPacket stored;
    stored.time = ticks ? std::max((*ticks - origin) * base.num, earliest) : expected;
    stored.end = stored.time + packet.duration * base.num;
    stored.shown = packet.pts ? (*packet.pts - origin) * base.num : stored.time;
    stored.packet = std::move(packet);
    if (!packets.empty()) packets.back().end = stored.time;
    packets.push_back(std::move(stored));
  }
  return packets;
}

}  // namespace

Result<std::vector<StoredPacket>> stored_packets(const StoredMedia& media,
                                                 const std::vector<media::Track>& tracks, std::size_t track) {
  return media.is_nut ? packets_of_nut(media, tracks, track) : packets_of_mp4(media.bytes, tracks, track);
}

}  // namespace gopline::server
