#pragma once
#include <string>
#include <vector>

#include "aggregator/outputs/live_output.h"

namespace gopline::aggregator {

inline media::Track make_track(const std::string& codec, media::MediaType type) {
  media::Track track;
  track.codec.codec = codec;
  track.codec.type = type;
  track.codec.sample_rate = type == media::MediaType::kAudio ? 48000 : 0;
  return track;
}

inline LiveRun make_run() {
  return {{make_track("h264", media::MediaType::kVideo), make_track("aac", media::MediaType::kAudio)},
          Timestamp(std::chrono::seconds(1'700'000'000))};
}

// A packet of `bytes` bytes.
inline LivePacket make_packet(int track, Duration dts, bool key = false, std::size_t bytes = 100) {
  LivePacket packet;
  packet.packet.track = track;
  packet.packet.dts = packet.packet.pts = dts.count();
  packet.packet.flags = key ? media::packet_flags::kKey : 0;
  packet.packet.data = Buffer::take(std::vector<std::uint8_t>(bytes));
  return packet;
}

// "v0", "a40": its track and time in ms; with ! before it where there is a discontinuity.
inline std::string name_of(const LivePacket& packet) {
  return fmt::format("{}{}{}", packet.discontinuity ? "!" : "", packet.packet.track == 0 ? "v" : "a",
                     *packet.packet.dts / 1000);
}

}  // namespace gopline::aggregator
