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
  // libavformat's short name ("mp4", "matroska", "mpegts", "nut") or a name people use ("mkv", "ts", "fmp4"
  // for fragmented MP4); empty: from the path's extension
  std::string format;
  std::vector<std::pair<std::string, std::string>> options;  // muxer options, e.g. movflags=faststart
  // Where set, bytes go here instead of to `target`, in order (no seeking). Returns false to stop.
  std::function<bool(std::span<const std::uint8_t>)> write;
  bool durable = false;  // finish() returns when the file and its name survive a power cut
};

// libavformat's short name of the container that `format` or, if that is empty, the extension of `target`
// names. "fmp4" stays "fmp4". kUnsupported lists what there is.
Result<std::string> container_format(const std::string& format, const std::string& target);

// Writes packets into a container exactly as `ffmpeg -c copy` would remux the source that they came from: the
// same timestamps, packet by packet and per track. A file gets its name when it is complete (until then it is
// TARGET.part). Where the target cannot be written out of order, MP4 becomes fragmented MP4. Not thread-safe.
class Muxer {
 public:
  virtual ~Muxer() = default;  // a muxer that was not finished leaves no file

  // `tracks` as the source had them (Track::codec, SourceForm); packets are in the carried form and are put
  // back into the source's form first. kUnsupported names the track that the container cannot hold, and a
  // container that can.
  static Result<std::unique_ptr<Muxer>> open(const MuxerOptions& options, const SourceInfo& source,
                                             const std::vector<Track>& tracks);

  // Packets of a track in decode order; tracks roughly interleaved by time. Errors name the target
  // (kOutOfSpace, kIo) or the track that libavformat refused.
  virtual Result<void> write(const Packet& packet) = 0;

  // What follows comes from another run of the same tracks (the same codecs; time bases may differ), whose
  // `source.start_time_us` is to lie at `place_us` in the output.
  virtual void begin_run(const SourceInfo& source, const std::vector<Track>& tracks,
                         std::int64_t place_us) = 0;
  // Packets are missing here; those that follow are where their timestamps say.
  virtual void expect_hole() = 0;
  // End of what was written, microseconds from the output's zero: the latest dts (or pts) plus its duration.
  virtual std::int64_t end_us() const = 0;

  // What the container has made of the packets so far leaves now: somebody is watching. Packets that wait for
  // another track's stay.
  virtual Result<void> flush() = 0;
  virtual Result<void> finish() = 0;  // flushes, writes the trailer, closes
  virtual std::uint64_t bytes_written() const = 0;
};

}  // namespace gopline::media
