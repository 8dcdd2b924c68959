#pragma once
#include <cstdint>

namespace gopline::media {

// Sends FFmpeg's own messages to our log, at debug level: what a user has to know comes back as an Error,
// naming the source. Process-wide; call once, before the first source is opened.
void route_ffmpeg_messages();

// How many RTP packets libavformat has missed by their sequence numbers while it read on this thread, since
// the last call. It tells this in a message alone, so nothing is counted before route_ffmpeg_messages().
std::int64_t take_missed_rtp_packets();

}  // namespace gopline::media
