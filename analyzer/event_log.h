#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/log/log.h"
#include "common/record/detection.h"
#include "common/record/topics.h"

namespace gopline::analyzer {

// Writes what was found to NS.events, and how far a group has come with it. Where the log can, both are one:
// nobody ever sees an event twice or an offset without its events. Where it cannot (NS.events lies in another
// log) the events are durable first; after a crash between the two some are there twice, with the same id,
// and who reads takes each id once. Not thread-safe.
class EventLog {
 public:
  // Makes NS.events and NS.dead, with as many partitions as NS.segments, where they are missing.
  static Result<std::unique_ptr<EventLog>> open(Log& log, const Clock& clock, const record::Topics& topics);

  // The events and dead letters of one partition of NS.segments, and the offset from which the group goes on
  // (nullopt: as before). kConflict: the partition is another member's now; nothing was written.
  Result<void> write(LogReader& group, const TopicPartition& from,
                     const std::vector<record::Detection>& events,
                     const std::vector<record::DeadLetter>& letters, std::optional<Offset> next);

  bool is_exactly_once() const { return atomic_; }

 private:
  EventLog(Log& log, const Clock& clock, const record::Topics& topics)
      : log_(log), clock_(clock), topics_(topics) {}
  NewRecord record_of(record::Encoded encoded) const;

  Log& log_;
  const Clock& clock_;
  const record::Topics topics_;
  std::int32_t event_partitions_ = 1, dead_partitions_ = 1;
  std::unique_ptr<LogWriter> writer_;  // where the log cannot do both as one
  bool atomic_ = true;
};

}  // namespace gopline::analyzer
