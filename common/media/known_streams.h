#pragma once
#include "common/media/av.h"

namespace gopline::media {

// A file that is opened again has the same streams, and to look at its packets once more would only cost
// time: for video that is decoding a second of it. Gives the streams of `again`, just opened, what
// avformat_find_stream_info() has found out of those of `known`. False, with nothing done, unless the file is
// an MP4, whose header names all streams and whose samples all have their times, and its streams are those of
// `known`.
bool take_over_stream_info(const AVFormatContext& known, AVFormatContext& again);

}  // namespace gopline::media
