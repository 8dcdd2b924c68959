#pragma once
// What encoders of pictures and of sound have in common. Included by .cpp files of this room only.
#include <string>
#include <string_view>
#include <vector>

#include "common/media/frames/av_frames.h"
#include "common/media/types.h"

namespace gopline::media {

// Whether a container ("fmp4" included) keeps parameters beside the packets, and not in them.
bool wants_global_header(const std::string& container);

// A context of the encoder of that name. kUnsupported: this FFmpeg has none.
Result<AvCodecContextPtr> make_encoder(std::string_view name);

// The track that an open encoder writes.
Result<Track> track_of(const AVCodecContext& context, int id);

// Hands a frame over (nullptr: no more come) and appends the packets that are ready, of track `index`.
Result<void> encode_frame(AVCodecContext& context, const AVFrame* frame, int index, std::vector<Packet>& out);

}  // namespace gopline::media
