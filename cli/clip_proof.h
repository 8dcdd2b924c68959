#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/payload/blob_source.h"
#include "server/clip_source.h"

namespace gopline::cli {

// Something in a clip, or in what is written beside it, that is not as the log has it.
struct ClipProblem {
  std::string kind;                   // "altered", "missing", "added", "track", "boxes", "fact", "chain"
  std::string message;                // for people
  std::optional<Timestamp> from, to;  // capture time of what it is about
};

struct ClipReport {
  std::string clip, facts, log, stream;
  Timestamp from, to;
  bool same_bytes = false;  // the file is, byte for byte, what the log makes now
  std::uint64_t size = 0;
  std::uint64_t samples = 0;  // compared: pictures, and pieces of sound
  std::int64_t segments = 0, chained = 0;
  std::vector<std::string> clocks;  // whose the times are
  std::int64_t gaps = 0;            // which the file has, and says
  std::vector<ClipProblem> problems;
  std::vector<std::string> notes;

  bool is_as_recorded() const { return problems.empty(); }
};

struct ClipFiles {
  std::string clip;
  std::string facts;  // empty: beside the clip, .json instead of .mp4
};

// Holds a clip to the log, and to what clip.json said when it was saved: the clip is made again, and compared
// picture by picture, then its facts one by one. The error is for what stops the comparing: a file that
// cannot be read, a stream or footage that the log does not have (any more).
Result<ClipReport> prove_clip(const ClipFiles& files, Log& log, const std::string& topic_namespace,
                              payload::BlobSource& blobs, const StopToken& stop);

nlohmann::ordered_json json_of(const ClipReport& report);
std::string to_text(const ClipReport& report);

}  // namespace gopline::cli
