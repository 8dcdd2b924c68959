#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
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
  // Whole segments, or their parts in order. Who follows at a stream's pace calls it when the beginning is
  // due; packets are due as much later as their dts are.
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
  // The muxer sink's alone: where bytes go instead of to `output`, in order; false stops.
  std::function<bool(std::span<const std::uint8_t>)> write = {};
  // Capture times. What comes before `shown_from` is there to be decoded and has times below zero, which MP4
  // hides by an edit list; of what is decoded from `shown_to` on nothing is there.
  std::optional<Timestamp> shown_from = {}, shown_to = {};
};

// Whether the output is a file, or will be: not standard output, a pipe, a device or a URL, which are written
// in order only and may have somebody behind them.
bool is_file(const std::string& output);

struct OpenedSink {
  std::unique_ptr<Sink> sink;
  std::string format;           // libavformat's name, or "fmp4"
  bool passed_through = false;  // fragments are written untouched, but for leading pictures that are left out
};

// The sink that makes `options.format` of a stream that begins with this epoch: stored fragments pass through
// where they can, and MP4 is fragmented where the output cannot be written out of order.
Result<OpenedSink> open_sink(SinkOptions options, const EpochBegin& epoch);

// What is written into `output`: as media::container_format, and kPictures where it is a pattern of numbered
// files.
Result<std::string> output_format(const std::string& format, const std::string& output);
inline constexpr std::string_view kPictures = "pictures";

// Whether the output is many files: "FOLDER/%06d.jpg".
bool is_picture_output(const std::string& output);

// Pictures that are files (JPEG, PNG, TIFF) into files again, numbered from 1, byte for byte. An error leaves
// those that were written.
std::unique_ptr<Sink> make_pictures_sink(const std::string& output);

// Packets into any container, as ffmpeg's stream copy would write them.
std::unique_ptr<Sink> make_muxer_sink(SinkOptions options);

// Segments of fragmented MP4 one after the other: the init once and again where it changes, fragments
// untouched. Only where a second epoch follows are its fragments' times (tfdt) moved behind the first, and at
// an open GOP with which the output begins or goes on, fragments lose the leading pictures.
Result<std::unique_ptr<Sink>> make_passthrough_sink(const SinkOptions& options);

}  // namespace gopline::aggregator
