#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/bytes/buffer.h"
#include "common/media/segment.h"
#include "common/media/types.h"

namespace gopline::media {

// What an init (ftyp moov) says of its tracks, as far as reading fragments needs it.
struct InitTrack {
  int track_id = 0;
  std::uint32_t timescale = 1;
  std::string sample_entry;  // "avc3"
};
struct Init {
  Buffer bytes;  // ftyp moov
  std::vector<InitTrack> tracks;
};

// The boxes at the head of a segment, up to the first moof. kCorrupt with the byte offset when they do not
// parse.
Result<Init> read_init(const Buffer& segment);

// One moof and mdat, byte ranges within the segment they came from.
struct FragmentInfo {
  int track_id = 0;
  std::uint32_t sequence = 0;
  std::int64_t base_time = 0;  // tfdt, timeline ticks
  std::int64_t origin = 0;     // source ticks at timeline zero
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::vector<Packet>
      packets;  // pts, dts, duration in source ticks, exactly as the source had them; payload shared
  std::vector<std::int64_t> times;  // timeline ticks of each packet
  std::int64_t duration = 0;        // timeline ticks
};

// Reads every fragment of a segment made of fragmented MP4. `tracks` as in epoch.started. kCorrupt names the
// byte offset.
Result<std::vector<FragmentInfo>> read_fragments(const Buffer& segment, const std::vector<Track>& tracks);

// What can be played of the beginning of a segment whose end is not there, or of its init and some fragments
// from its middle: the init and the fragments that are whole.
struct PlayablePrefix {
  std::uint64_t size = 0;  // of the init and of these fragments
  std::size_t fragments = 0;
  std::optional<std::int64_t> start;  // of the main track's first sample in these, timeline ticks
  std::int64_t first_pts = 0;         // at which that is shown
  std::int64_t duration = 0;          // of the main track in these, timeline ticks
  std::int64_t timescale = 1;         // of the main track
};

// `tracks` as in epoch.started. nullopt: nothing can be played, or it is a NUT file, which is whole or
// nothing.
std::optional<PlayablePrefix> playable_prefix(const Buffer& beginning, std::string_view content_type,
                                              const std::vector<Track>& tracks);

// All packets of a stored segment (fragmented MP4 or NUT, told by the content type), per track in source
// order; tracks are merged by time. Payloads share the segment's memory.
Result<std::vector<Packet>> unpack_segment(const Buffer& segment, std::string_view content_type,
                                           const std::vector<Track>& tracks);

}  // namespace gopline::media
