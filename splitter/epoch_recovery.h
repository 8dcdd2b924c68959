#pragma once
#include <cstdint>
#include <optional>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/log/log.h"
#include "common/record/markers.h"

namespace gopline::splitter {

struct OpenEpoch;

// What earlier epochs of a stream have used up, read from the log.
struct Recovered {
  std::optional<Ordinal> ordinal;    // highest of any chunk that is not late, finished or not
  std::int64_t discontinuities = 0;  // of that segment
  // Capture time of what NS.streams does not account for, with what can be played of a segment that its
  // writer left unfinished.
  std::optional<Timestamp> first_time, last_time;
  std::int64_t healed = 0;  // index entries written
};

// Reads the stream's partition from what NS.streams accounts for (`before`; nullopt: a new stream) up to the
// epoch.started record of `epoch`, and writes the index entries of whole segments there that have none: their
// writer died between a segment and its entry. An unfinished segment uses up its ordinal, and is left as it
// is.
Result<Recovered> recover(Log& log, LogWriter& writer, const Clock& clock, const OpenEpoch& epoch,
                          const std::optional<record::StreamState>& before);

}  // namespace gopline::splitter
