#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/stream_summary.h"
#include "common/base/strong_int.h"
#include "common/log/log.h"

namespace gopline::cli {

// Something in the log that contradicts something else in it.
struct Problem {
  std::string
      kind;  // "corrupt", "lost", "missing-blob", "order", "epoch", "content", "chain", "index", "state"
  std::string message;
  std::string topic;
  std::optional<Offset> offset;
  std::optional<EpochNumber> epoch;
  std::optional<SegmentNumber> segment;
};

// Everything that was looked at.
struct VerifyCounts {
  std::int64_t records = 0;    // with the stream's key, in NS.segments
  std::int64_t epochs = 0;     // started
  std::int64_t segments = 0;   // whole: every chunk there, every hash right
  std::int64_t chunks = 0;     // of those
  std::uint64_t bytes = 0;     // of those
  std::int64_t claims = 0;     // of those, redeemed outside of the log
  std::int64_t sha256 = 0;     // segments whose SHA-256 was computed and is right
  std::int64_t fragments = 0;  // parsed
  std::int64_t packets = 0;    // in them
  std::int64_t index_entries = 0;
  std::int64_t index_hours = 0;
  std::int64_t duplicates = 0;  // written twice: harmless, readers take one
  std::int64_t late = 0;        // chunks written after a newer epoch had begun
  std::int64_t foreign = 0;     // records of kinds that this version does not know: skipped
};

struct VerifyReport {
  std::string stream;
  PartitionId partition;
  OffsetRange kept;  // of NS.segments, when it was read
  VerifyCounts counts;
  std::vector<Problem> problems;
  std::vector<FoundGap> gaps;  // footage that the log itself says is absent
  std::vector<std::string>
      notes;  // worth knowing, and no fault: expired footage, an epoch that is still open

  bool is_whole() const { return problems.empty() && gaps.empty(); }
};

nlohmann::ordered_json json_of(const VerifyReport& report);
std::string to_text(const VerifyReport& report);
std::string gaps_table(const std::vector<FoundGap>& gaps);

}  // namespace gopline::cli
