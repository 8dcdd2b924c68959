#pragma once
// Between libav's structures and the room's value types. Included by .cpp files of this room only.
#include <optional>
#include <vector>

#include "common/media/av.h"
#include "common/media/types.h"

namespace gopline::media {

// Shares the packet's payload when it is reference-counted, else copies it. Side data types that are not in
// the stored table, and those that only name the MPEG-TS stream, are left out. `track` is the index among the
// carried tracks.
Packet from_av_packet(const AVPacket& packet, int track);

// An AVPacket that shares the payload (read-only). libav wants AV_INPUT_BUFFER_PADDING_SIZE readable bytes
// behind the payload wherever it parses it: set `padded` to copy the payload into memory that has them.
Result<AvPacketPtr> to_av_packet(const Packet& packet, bool padded);

CodecParameters from_av_parameters(const AVCodecParameters& parameters);
Result<AvCodecParametersPtr> to_av_parameters(const CodecParameters& codec);

// Stream-level side data (display matrix, ...), wherever this FFmpeg keeps it.
std::vector<SideData> stream_side_data(const AVStream& stream);
Result<void> set_stream_side_data(AVStream& stream, const std::vector<SideData>& side_data);

std::map<std::string, std::string> from_av_dictionary(const AVDictionary* dictionary);
void to_av_dictionary(const std::map<std::string, std::string>& values, AVDictionary** dictionary);

inline std::optional<std::int64_t> from_av_time(std::int64_t time) {
  return time == AV_NOPTS_VALUE ? std::nullopt : std::optional(time);
}
inline std::int64_t to_av_time(std::optional<std::int64_t> time) {
  return time.value_or(AV_NOPTS_VALUE);
}

}  // namespace gopline::media
