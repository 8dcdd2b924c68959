#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "aggregator/aggregate.h"
#include "aggregator/follow/playout.h"
#include "aggregator/follow_meter.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"

namespace gopline::aggregator {

class Sink;

struct FollowOptions {
  // selection: the stream, and `from`; nothing: from now on. The epochs are those that come.
  AggregateOptions aggregate;
  std::optional<Timestamp> until;  // capture time; nullopt: until somebody asks to stop
  PlayoutOptions playout;
  std::optional<bool> paced;  // PlayoutOptions::paced; nullopt: unless the output is a file
  ReaderMetrics metrics = {};
  Sink* sink = nullptr;  // where it goes instead of to `aggregate.output`
};

struct FollowReport {
  AggregateReport output;  // of its absences the newest kMostAbsences
  std::uint64_t gaps = 0;  // all
  FollowStats stats;
  bool interrupted = false;  // somebody asked to stop, before `until`
  bool whole() const { return gaps == 0; }
};
inline constexpr std::size_t kMostAbsences = 1000;

struct FollowEvents {
  std::function<void()> on_ready;                    // what is written from now on is seen
  std::function<void(const Absence&)> on_absence;    // as it is stated
  std::function<void(const FollowStats&)> on_stats;  // with every piece, and at least every second
};

// Puts a stream together while it is being made: records as they come -> Playout -> one file or pipe. It
// begins at the next key frame, or at `from`, from where it catches up as fast as it can; then the pace is
// that of the stream, as far behind as its arrivals ask for. Parts of a segment leave while the segment is
// still being written. A stop ends it as `until` does: the output is
// completed. kNotFound: no such stream; kCancelled: stopped before there was anything; kUnsupported: as
// aggregate(). On any error there is no output file. Events are called on the caller's thread.
Result<FollowReport> follow_stream(Log& log, const Clock& clock, const FollowOptions& options,
                                   const FollowEvents& events, StopToken stop);

}  // namespace gopline::aggregator
