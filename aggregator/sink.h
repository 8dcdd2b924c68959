#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "aggregator/aggregate.h"
#include "aggregator/stream_item.h"
#include "common/base/result.h"

namespace gopline::aggregator {

struct SinkStats {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t skipped_packets = 0;
  std::uint64_t leading_packets = 0;
  std::vector<AggregatedEpoch> epochs;
};

// Makes one output of a stream's sequence. Not thread-safe.
class Sink {
 public:
  virtual ~Sink() = default;  // without finish(): no output
  virtual Result<void> begin_epoch(const EpochBegin& epoch) = 0;
  virtual Result<void> write(const SegmentData& segment) = 0;
  virtual void note_absence() = 0;  // what follows goes on at the next access point
  virtual Result<void> finish() = 0;
  virtual SinkStats stats() const = 0;
};

struct SinkOptions {
  std::string output;
  std::string format;  // a libavformat name or "fmp4", as media::container_format gives it
  std::vector<std::pair<std::string, std::string>> muxer_options;
  bool live = false;               // every segment leaves when it is written
  LiveOutput* receiver = nullptr;  // where packets go instead of to `output`
};

struct OpenedSink {
  std::unique_ptr<Sink> sink;
  std::string format;           // libavformat's name, or "fmp4"
  bool passed_through = false;  // fragments are written untouched
};

// The sink that makes `options.format` of a stream that begins with this epoch: stored fragments pass through
// where they can, and MP4 is fragmented where the output cannot be written out of order.
Result<OpenedSink> open_sink(SinkOptions options, const EpochBegin& epoch);

// Packets into any container, as ffmpeg's stream copy would write them.
std::unique_ptr<Sink> make_muxer_sink(SinkOptions options);

// Segments of fragmented MP4 one after the other: the init once and again where it changes, fragments
// untouched. Only where a second epoch follows are its fragments' times (tfdt) moved behind the first.
Result<std::unique_ptr<Sink>> make_passthrough_sink(const SinkOptions& options);

}  // namespace gopline::aggregator
