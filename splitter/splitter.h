#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/media/demuxer.h"
#include "common/payload/compressibility.h"
#include "splitter/packet_queue.h"
#include "splitter/publisher.h"
#include "splitter/segmenter.h"

namespace gopline::splitter {

struct SplitOptions {
  std::string source;  // path, URL, or "-"
  std::string stream;
  std::string topic_namespace = "gopline";
  SegmenterOptions segmenter;
  ReadRate rate = ReadRate::kMax;
  bool loop = false;
  std::optional<Timestamp> start_time;  // capture time of the first main packet; ce_clock is then `given`
  bool sha256 = false;
  std::int32_t partitions = 8;  // of topics made now
  Retention segment_retention;  // of topics made now
  std::size_t read_ahead_bytes = 16 << 20;
  payload::StrategySettings payload;
  payload::Compression compression = payload::Compression::kAuto;
  payload::BlobStore* blobs = nullptr;  // where claim checks go; nullptr: nowhere
};

struct SplitProgress {
  std::uint64_t source_bytes = 0;  // read so far
  std::optional<std::uint64_t> source_size;
  Duration media_time{};  // of the newest segment's end
  std::optional<Duration> media_duration;
  std::int64_t segments = 0;  // acknowledged
  std::uint64_t bytes = 0;    // acknowledged
};

struct SplitReport {
  EpochSummary epoch;
  EndCause cause = EndCause::kEndOfInput;
  Duration media_time{};
  std::uint64_t packets = 0;
  std::uint64_t corrupt_packets = 0;  // the source itself says so
  std::optional<Error> source_error;  // the source failed in the middle; what came before is stored
  std::vector<media::SkippedTrack> skipped;
  std::int64_t broken_pictures = 0;  // files that are none, or broken: nothing of them is stored
  // Of a live source, whose epochs are summed up above.
  std::int64_t epochs = 1;
  std::int64_t outages = 0;
  std::int64_t lost_packets = 0;    // of RTP, by the network
  std::uint64_t dropped_bytes = 0;  // the log could not keep up
};

// Runs one source into one stream, as one epoch, until its end or until `stop`: source -> packets -> segments
// -> records. A thread reads ahead; the caller's thread does the rest. The error is the source's when nothing
// of it could be stored, or the log's: what was acknowledged before stays. `on_progress` is called on the
// caller's thread, about once per segment.
Result<SplitReport> split(Log& log, const Clock& clock, const SplitOptions& options,
                          const std::function<void(const SplitProgress&)>& on_progress, StopToken stop);

}  // namespace gopline::splitter
