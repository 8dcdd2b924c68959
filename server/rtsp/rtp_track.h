#pragma once
// How a track's packets travel as RTP: GStreamer's words for it. For .cpp files of this room only.
#include <string>

#include "common/base/result.h"
#include "common/media/types.h"
#include "server/rtsp/handles.h"

namespace gopline::server {

bool is_servable(const media::Track& track);

// The caps of the track's packets; parameter sets that lie beside the packets travel in them.
CapsPtr caps_of(const media::Track& track);

// The payloader as gst_parse_launch takes it, under the name `pay{index}` that the RTSP server looks for.
std::string payloader_of(const media::Track& track, std::size_t index);

// The packet's payload in the form that the caps say: shared, but where start codes are put back.
Result<MemoryPtr> payload_of(const media::Packet& packet, const media::Track& track);

// Whether a client that was told of `a` understands packets of `b`.
bool is_same_to_clients(const media::Track& a, const media::Track& b);

}  // namespace gopline::server
