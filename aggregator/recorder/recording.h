#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aggregator/stream_item.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/strong_int.h"
#include "common/record/vocabulary.h"

// A recorded file as the JSON beside it tells it, and its name. Plain values and pure functions.
namespace gopline::aggregator {

// Why a file ends where it does.
enum class FileEnd {
  kInterval,       // its interval is over
  kDiscontinuity,  // the stream's time line does not go on: a gap, a jump
  kGap,            // something that was written is missing
  kParameters,     // other codec parameters, or another form of segments
  kEpochEnded,
  kIdle,        // nothing more came in time
  kStopped,     // the recorder was
  kHandedOver,  // the stream is another recorder's now
};
std::string_view to_string(FileEnd end);  // "interval", "discontinuity", "gap", "parameters" ...

// One file, or, where `file` is empty, gaps behind which there is no footage yet. A file is one uninterrupted
// run of segments of one epoch: no gap lies in it, so a place in it is a capture time.
struct Recording {
  std::string stream;
  std::string file;       // its name in the stream's folder
  std::string container;  // "mp4", "matroska"
  EpochNumber epoch;
  std::int64_t first_segment = 0, next_segment = 0;  // of the epoch, [first, next)
  std::int64_t next_gap = 0;                         // of the epoch's gap records: those before it are told
  Timestamp from, to;                                // capture time
  record::CaptureClock clock = record::CaptureClock::kFile;
  std::optional<Ordinal> first_ordinal;
  PartitionId partition;
  std::optional<Offset> first_offset;  // the lowest of a record that is in it or in `gaps`
  std::uint64_t bytes = 0;             // of the file
  bool access_point = true;            // it begins with one
  FileEnd end = FileEnd::kInterval;
  std::vector<Absence> gaps;  // right before its first picture
};

std::string to_json(const Recording& recording);  // with a line end
// The stream, the name, and what part of the epoch it is; the rest stays as it is by default. kCorrupt says
// what is missing, also of a file that something else wrote.
Result<Recording> parse_recording(std::string_view json);

// What a recording is called, without an extension: "2026-11-22T18-30-00.040Z_17-42" for one that begins with
// segment 42 of epoch 17. Names sort by capture time, and a name stands for one beginning, whoever records
// it. "..._17-42-gap" where there are only gaps.
std::string recording_name(Timestamp from, EpochNumber epoch, std::int64_t segment, bool only_gaps = false);
bool is_recording_name(std::string_view name);

// The folder of a stream's recordings: its id, percent-encoded, "site-7%2Fdoor-2"; where that is longer than
// file systems take, its beginning and a hash.
std::string recording_folder(std::string_view stream);

}  // namespace gopline::aggregator
