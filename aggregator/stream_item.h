#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/clock.h"
#include "common/base/strong_int.h"
#include "common/bytes/buffer_chain.h"
#include "common/record/chunk_assembler.h"
#include "common/record/markers.h"
#include "common/record/segment_headers.h"

namespace gopline::aggregator {

// Why footage is not there: what the writer said of it, or what the reader found.
enum class AbsenceCause {
  kSourceOutage,  // never recorded: the source was away
  kOverBudget,    // dropped by the writer, which could not keep up
  kLost,          // written, or meant to be, and not found
  kCorrupt,       // found, and its bytes contradict their hash or length
  kClock,         // the clock jumped
  kExpired,       // retention has taken it
  kElsewhere,     // its payload lies outside of the log, and no way to there was given
  kMissingBlob,   // its payload is gone from the store that its claim check names
};
std::string_view to_string(
    AbsenceCause cause);  // "source-outage", "over-budget", "lost", "corrupt", "clock", "expired" ...
AbsenceCause absence_cause_from(record::GapCause cause);

// A gap in what is read. Never silent: it stands in the sequence where the footage would.
struct Absence {
  EpochNumber epoch;
  AbsenceCause cause = AbsenceCause::kLost;
  std::string reason;                          // for people
  std::optional<SegmentNumber> first_segment;  // missing segments; nullopt: footage that never got a number
  std::int64_t segments = 0;
  std::optional<Timestamp> from, to;  // capture time, as far as it is known
  std::uint64_t bytes = 0;            // 0: unknown
  std::string uri;                    // of a payload outside of the log that is missing or altered
};

// An epoch's segments follow.
struct EpochBegin {
  record::StartedEpoch started;
  std::optional<record::EpochEnded>
      ended;                   // nullopt: it goes on, or its writer died, or the end was not looked at
  bool from_its_start = true;  // its segment 0 is asked for, else only some of the middle
};

// A segment that came whole, its hashes verified. Or the beginning of one that did not: its init and the
// fragments that came whole; the Absence behind it is of the rest. Or, while a stream is followed, a part of
// one that is still being written: its init and the part's fragments; `headers` have the part's own start,
// duration and capture time, and behind the first part `sap` 0.
struct SegmentData {
  record::SegmentHeaders headers;  // of the last chunk; of a beginning, of the newest that came
  BufferChain bytes;
  std::size_t pinned_bytes = 0;  // of memory that `bytes` keep alive; at least their size
  bool whole = true;
  std::int64_t part = 0;  // of the segment, from 0
  bool last_part = true;
};

using StreamItem = std::variant<EpochBegin, SegmentData, Absence>;

}  // namespace gopline::aggregator
