#pragma once
#include <string>

#include "common/base/clock.h"
#include "server/found_events.h"
#include "server/stream_catalog.h"
#include "server/timeline.h"

// What the API answers, as openapi.json describes it.
namespace gopline::server {

// What a viewer cares to know of a stream's writer.
enum class StreamMood {
  kLive,    // it writes
  kSilent,  // nothing has come for a while, and nobody said why
  kEnded,   // its writer has ended, in order
};
StreamMood mood_of(const StreamView& stream, Timestamp now);
std::string_view to_string(StreamMood mood);  // "live", "silent", "ended"

// Whether a browser can be given its newest epoch: it is stored as MP4, or made so (`transcodes`).
bool is_playable(const StreamView& stream, bool transcodes);

std::string streams_json(const std::vector<StreamView>& streams, Timestamp now, bool transcodes);
std::string health_json(const LogHealth& health, Timestamp now);
std::string timeline_json(const std::string& stream, const Timeline& timeline);
std::string found_json(const std::string& stream, const EventsOfStream& found);
std::string error_json(std::string_view message);

}  // namespace gopline::server
