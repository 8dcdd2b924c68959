#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/media/av.h"
#include "common/media/types.h"

namespace gopline::media {

// What was read of a source until FFmpeg said that it had ended.
struct WhatWasRead {
  const SourceInfo& info;
  std::string local_path;                   // empty: no file that could be looked at
  const std::vector<int>& track_of_stream;  // -1: not carried
  std::vector<std::int64_t> packets;        // of each stream
};

// FFmpeg takes a file that was cut off for one that has ended. kCorrupt where the file itself says that there
// is more: the index of an MP4, the length that AVI and Matroska declare.
Result<void> ended_whole(AVFormatContext& input, const WhatWasRead& read);

}  // namespace gopline::media
