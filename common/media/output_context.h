#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "common/media/av.h"
#include "common/media/remux_timestamps.h"
#include "common/media/types.h"

// libavformat's output context for tracks of ours, set up as `ffmpeg -c copy` sets up its own, and what it
// depends on: the container's habits. Formats go by libavformat's short names. For .cpp files of this room
// only.
namespace gopline::media {

constexpr auto kDialect = LIBAVFORMAT_VERSION_MAJOR >= 60 ? RemuxDialect::kFfmpeg7 : RemuxDialect::kFfmpeg5;

std::string describe(const Track& track);  // "track 2 (aac audio)"
bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names);
bool is_mov_family(std::string_view format);
// Muxers that write H.264 and HEVC with an avcC or hvcC as it comes, without looking behind the payload's
// end.
bool writes_unparsed(std::string_view format);

// How a track's payloads are put back into the form that its source had.
enum class Restore { kNothing, kAnnexB, kAdts };
Restore restore_of(const Track& track, std::string_view format);
// The packet in that form, as libav's. `padded`: as to_av_packet's; what is restored always is.
Result<AvPacketPtr> restored_packet(const Packet& packet, const Track& track, Restore restore, bool padded);

// Has a stream for every track, metadata and defaults; no I/O yet. Nothing is written.
Result<AvOutputPtr> make_context(const AVOutputFormat& format, const std::string& path,
                                 const SourceInfo& source, const std::vector<Track>& tracks);

// Why a header could not be written (`code`): names the track that the container cannot hold and one that can
// hold all.
tl::unexpected<Error> fail_header(int code, const AVOutputFormat& format, const SourceInfo& source,
                                  const std::vector<Track>& tracks);

}  // namespace gopline::media
