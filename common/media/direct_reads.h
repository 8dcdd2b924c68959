#pragma once
#include "common/media/av.h"

namespace gopline::media {

// libavformat reads a file 32 kB at a time and copies packets out of that buffer; only what is larger than
// the buffer goes straight into the packet's own memory. Where the file's index says that most packets are
// large, this makes the buffer so small that they all do: a copy of every byte less, for about as many reads.
// After avformat_find_stream_info. True: it did.
bool read_large_packets_directly(AVFormatContext& input);

}  // namespace gopline::media
