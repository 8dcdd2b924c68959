#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/media/types.h"

namespace gopline::media {

struct DemuxerOptions {
  std::string url;                                           // path, URL, or "-" for standard input
  bool loop = false;                                         // begin again at the end, timestamps running on
  StopToken stop;                                            // makes a blocking read return kCancelled
  std::vector<std::pair<std::string, std::string>> options;  // libavformat's
  // Of a live source, how long opening and each read may take; then they return kUnavailable. nullopt: for
  // ever.
  std::optional<Duration> patience = std::nullopt;
  // A live source is over when it ends or breaks, and may be probed until a key frame shows what it is.
  bool is_live = false;
  // MP4 files of H.264 from this size on are read without libavformat's parser (parser_bypass.h).
  std::int64_t parser_bypass_min_bytes = 64 << 20;
};

// A track the source has and gopline does not carry, and why.
struct SkippedTrack {
  int source_index = 0;
  std::string description;
  std::string reason;
};

// Packets of any source that FFmpeg opens, in the order it delivers them and in the form segments carry:
// length-prefixed NAL units, raw AAC. Not thread-safe.
class Demuxer {
 public:
  virtual ~Demuxer() = default;

  // Opens and probes. Errors name the source and what to do.
  static Result<std::unique_ptr<Demuxer>> open(const DemuxerOptions& options);

  virtual const SourceInfo& info() const = 0;
  virtual const std::vector<Track>& tracks() const = 0;  // those carried; index = Packet::track
  virtual const std::vector<SkippedTrack>& skipped() const = 0;

  // The next packet; nullopt at the end. After an error that is not kCancelled what was read stands; a
  // further call may or may not find more.
  virtual Result<std::optional<Packet>> read() = 0;

  virtual std::uint64_t bytes_read() const = 0;  // position in the source, for progress
  // RTP packets that never came, as the numbers of the others tell; 0 where there are no such numbers.
  virtual std::int64_t lost_packets() const { return 0; }
};

}  // namespace gopline::media
