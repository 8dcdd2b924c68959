#pragma once
#include <cstdint>
#include <vector>

#include "common/media/types.h"

namespace gopline::splitter {

// Tracks and packets of the segmenter's tests, in ticks of milliseconds, so that numbers there read as time.

inline media::Track track(int id, media::MediaType type, Rational time_base = {1, 1000}) {
  using media::MediaType;
  media::Track t;
  t.id = id;
  t.time_base = time_base;
  t.codec.type = type;
  t.codec.codec = type == MediaType::kVideo ? "av1" : type == MediaType::kAudio ? "aac" : "mov_text";
  return t;
}

inline std::vector<media::Track> video_only() {
  return {track(1, media::MediaType::kVideo)};
}
inline std::vector<media::Track> video_and_audio() {
  return {track(1, media::MediaType::kVideo), track(2, media::MediaType::kAudio)};
}

inline media::Packet packet(int track, std::int64_t dts, bool key, std::int64_t duration = 500,
                            std::size_t size = 10) {
  media::Packet p;
  p.track = track;
  p.dts = dts;
  p.pts = dts;
  p.duration = duration;
  p.flags = key ? media::packet_flags::kKey : 0;
  p.data = Buffer::take(std::vector<std::uint8_t>(size));
  return p;
}

}  // namespace gopline::splitter
