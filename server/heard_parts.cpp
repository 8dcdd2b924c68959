#include "server/heard_parts.h"

#include "server/browser_tracks.h"
#include "server/hls_playlist.h"

namespace gopline::server {
namespace {

StoredMedia media_of(const BufferChain& pieces, const LiveSegment& segment) {
  return {pieces.flatten(), false, segment.headers.start};
}

tl::unexpected<Error> no_sound(const LiveSegment& segment) {
  return fail(ErrorCode::kNotFound, "{}: epoch {} has no sound that is transcoded", segment.headers.stream,
              segment.headers.epoch);
}

}  // namespace

bool HeardParts::has_sound(const LiveSegment& segment) {
  auto found = heard_.rendition(segment);
  return found && *found;
}

Result<Buffer> HeardParts::init(const LiveSegment& segment) {
  GOPLINE_ASSIGN(auto rendition, heard_.rendition(segment));
  if (!rendition) return no_sound(segment);
  GOPLINE_ASSIGN(auto alone, rendition->init());
  return with_track(segment.init, alone, rendition->track_id());
}

// The segment before; but of what it ends with, without what was left to the first part behind it, unless
// all of it is wanted. Where its parts are not known it comes out of the log.
std::vector<StoredMedia> HeardParts::before(const std::vector<LiveSegment>& segments, std::size_t at,
                                            bool is_whole, const StopToken& stop) {
  std::vector<StoredMedia> media;
  const auto& segment = segments[at];
  if (at > 0 && follows(segment, segments[at - 1])) {
    const auto& earlier = segments[at - 1];
    if (is_whole) return {media_of(earlier.stored, earlier)};
    for (const auto& part : earlier.parts) media.push_back(media_of(part.stored, earlier));
    return media;
  }
  const auto& headers = segment.headers;
  if (headers.segment.value == 0) return media;
  auto name = segment_name(headers.epoch, SegmentNumber(headers.segment.value - 1));
  auto entry = finder_.named(headers.stream, name, stop);
  bool goes_on = entry && (*entry)->init_xxh3 == segment.init_xxh3 &&
                 (*entry)->discontinuities == headers.discontinuities;
  auto stored = goes_on ? segments_.get(**entry, stop) : Result<SegmentPtr>();
  if (stored && *stored) media.push_back(stored_media(**stored, **entry));
  return media;
}

Result<BufferChain> HeardParts::part(const std::vector<LiveSegment>& segments, std::size_t at,
                                     std::size_t part, const StopToken& stop) {
  const auto& segment = segments[at];
  GOPLINE_ASSIGN(auto rendition, heard_.rendition(segment));
  if (!rendition) return no_sound(segment);
  auto make = [&]() -> Result<BufferChain> {
    auto earlier = before(segments, at, false, stop);
    for (std::size_t i = 0; i < part; ++i) earlier.push_back(media_of(segment.parts[i].stored, segment));
    return rendition->fragment(media_of(segment.parts[part].stored, segment), earlier);
  };
  const auto& headers = segment.headers;
  GOPLINE_ASSIGN(
      auto sound,
      heard_.once({headers.stream, headers.epoch, headers.segment, static_cast<std::int64_t>(part)}, make));
  auto bytes = segment.parts[part].fragments;
  bytes.append(sound);
  return bytes;
}

Result<BufferChain> HeardParts::segment(const std::vector<LiveSegment>& segments, std::size_t at,
                                        const StopToken& stop) {
  const auto& segment = segments[at];
  GOPLINE_ASSIGN(auto rendition, heard_.rendition(segment));
  if (!rendition) return no_sound(segment);
  auto make = [&]() -> Result<BufferChain> {
    return rendition->fragment(media_of(segment.stored, segment), before(segments, at, true, stop));
  };
  const auto& headers = segment.headers;
  GOPLINE_ASSIGN(auto sound,
                 heard_.once({headers.stream, headers.epoch, headers.segment, HeardSegments::kWhole}, make));
  BufferChain bytes;
  for (const auto& part : segment.parts) bytes.append(part.fragments);
  bytes.append(sound);
  return bytes;
}

}  // namespace gopline::server
