#pragma once

namespace gopline::media {

// Sends FFmpeg's own messages to our log, at debug level: what a user has to know comes back as an Error,
// naming the source. Process-wide; call once, before the first source is opened.
void route_ffmpeg_messages();

}  // namespace gopline::media
