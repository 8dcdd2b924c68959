#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/media/types.h"

namespace gopline::media {

struct MuxerOptions {
  std::string target;  // a path, or "-" for standard output
  std::string format;  // libavformat's short name ("mp4", "matroska", "mpegts", "nut"); empty: from the path's extension
  std::vector<std::pair<std::string, std::string>> options;  // muxer options, e.g. movflags=faststart
  // Where set, bytes go here instead of to `target`, in order (no seeking). Returns false to stop.
  std::function<bool(std::span<const std::uint8_t>)> write;
};

// Writes packets into a container exactly as `ffmpeg -c copy` would remux the source that they came from: the same
// timestamps, packet by packet and per track. Not thread-safe.
class Muxer {
 public:
  virtual ~Muxer() = default;  // a muxer that was not finished leaves an incomplete file

  // `tracks` as the source had them (Track::codec, SourceForm); packets are in the carried form and are put back into the
  // source's form first. kUnsupported names the track that the container cannot hold.
  static Result<std::unique_ptr<Muxer>> open(const MuxerOptions& options, const SourceInfo& source,
                                             const std::vector<Track>& tracks);

  virtual Result<void> write(const Packet& packet) = 0;
  virtual Result<void> finish() = 0;  // flushes, writes the trailer, closes
  virtual std::uint64_t bytes_written() const = 0;
};

}  // namespace gopline::media
