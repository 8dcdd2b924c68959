#include "common/media/sample_entry.h"

#include <algorithm>
#include <array>

namespace gopline::media {

bool has_sample_entry(std::string_view codec) {
  static constexpr std::array<std::string_view, 19> kCodecs{
      "aac", "ac3", "alac",       "av1",        "eac3",  "flac", "h264",     "hevc",      "mjpeg", "mov_text",
      "mp2", "mp3", "mpeg1video", "mpeg2video", "mpeg4", "opus", "pcm_alaw", "pcm_mulaw", "vp9"};
  return std::ranges::find(kCodecs, codec) != kCodecs.end();
}

bool fits_mp4(const std::vector<Track>& tracks) {
  return std::ranges::all_of(tracks, [](const Track& track) { return has_sample_entry(track.codec.codec); });
}

}  // namespace gopline::media
