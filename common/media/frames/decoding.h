#pragma once
#include "common/base/result.h"
#include "common/media/av.h"
#include "common/media/types.h"

// What the decoders share.
namespace gopline::media {

// A decoder for the track's codec, on the caller's thread alone; its packets' times are in microseconds.
// kUnsupported where this FFmpeg has none.
Result<AvCodecContextPtr> open_decoder(const Track& track);

}  // namespace gopline::media
