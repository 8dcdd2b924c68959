#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "aggregator/stream_item.h"
#include "common/base/result.h"
#include "common/record/chunk_assembler.h"

namespace gopline::aggregator {

// One file that is being written. Until finish() it is NAME.part. Not thread-safe.
class RecordingFile {
 public:
  virtual ~RecordingFile() = default;  // without finish(): nothing is left
  // Whether the segment can go into this file: it has the same codec parameters.
  virtual bool fits(const SegmentData& segment) const = 0;
  virtual Result<void> write(const SegmentData& segment) = 0;
  virtual Result<void> finish() = 0;  // it is complete and durable, and has its name
  virtual std::uint64_t bytes() const = 0;
};

struct OpenedRecordingFile {
  std::unique_ptr<RecordingFile> file;
  std::string path;
  std::string container;  // libavformat's name
};

// A file `stem`.mp4 or `stem`.mkv for segments from `first` on; nothing is written to it yet. "mp4": the
// stored fragments as they are, but that time begins at zero. "matroska": remuxed, by what `started` says of
// the tracks. Where one cannot be, it is the other: NUT segments are in no MP4; what `started` (nullptr:
// nobody knows) does not describe can only pass through. kUnsupported: neither can be.
Result<OpenedRecordingFile> open_recording_file(const std::string& stem, const std::string& container,
                                                const record::StartedEpoch* started,
                                                const SegmentData& first);

}  // namespace gopline::aggregator
