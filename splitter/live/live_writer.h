#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "common/base/clock.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "splitter/live/outbox.h"
#include "splitter/live/reconnect_policy.h"
#include "splitter/publisher.h"

namespace gopline::splitter {

// From the outbox to the log: opens an epoch when the first footage of a connection comes, says what is
// missing between it and what the stream had before, publishes, ends it. A log that fails is tried again,
// with backoff, for as long as the run lasts; what it had not acknowledged is told as lost in the epoch that
// ends so, and published again in the next one: whole, also where parts of it had been acknowledged. Parts
// whose segment's beginning is not there (dropped, or lost with an earlier run) are left out, and a gap.
// After a stop everything that is there is still written, by a log that answers; what another leaves is kept
// in the outbox's spill, if it has one.
class LiveWriter {
 public:
  struct Totals {
    EpochSummary sum;  // over all epochs; number, lateness of the newest, first ordinal of the first
    std::int64_t epochs = 0;
  };

  // `options`: what all epochs have in common. `on_written` is called on run()'s thread after every item.
  LiveWriter(Log& log, const Clock& clock, PublisherOptions options, Outbox& outbox,
             std::function<void(const Totals&)> on_written, StopToken stop, StreamMetrics metrics = {});

  // Until the outbox is closed and empty. Its error: the log's, when it could not be written to at the end,
  // or refuses the stream for good.
  Result<void> run();

  const Totals& totals() const { return totals_; }  // on run()'s thread, or after it

 private:
  Result<void> take(OutboxEntry& entry);
  Result<void> take(EpochBegin& begin);
  Result<void> take(OutboxEntry& entry, const LiveSegment& live);
  Result<void> begin_segment(const LiveSegment& live);
  Result<void> publish(OutboxEntry& entry, const LiveSegment& live);
  bool continues_what_is_there(const LiveSegment& live) const;
  void leave_out(const OutboxEntry& entry, const LiveSegment& live);
  Result<void> state_left_out();
  Result<void> take(const record::GapFacts& gap);
  Result<void> take(const EpochEnd& end);
  Result<void> open(Timestamp begins);
  Result<void> state_gap(const record::GapFacts& gap);
  Result<void> after_failure(Error error, bool is_last_try);
  void wait_after(const Error& error);
  Result<void> close(EndCause cause);
  void acknowledged(const record::IndexEntry& entry);
  void count();

  Log& log_;
  const Clock& clock_;
  PublisherOptions options_;
  Outbox& outbox_;
  std::function<void(const Totals&)> on_written_;
  StopToken stop_;
  ReconnectPolicy retry_;
  StreamMetrics metrics_;
  std::optional<EpochBegin> begin_;  // of the epoch that is being written
  std::deque<OutboxEntry> next_;     // before what the outbox has
  // A segment that is being published part by part.
  struct OpenSegment {
    int next_part = 0;
    Timestamp end;  // of the parts so far, capture time
  };
  std::optional<OpenSegment> open_;
  SegmentNumber next_segment_;  // of the epoch
  std::optional<record::GapFacts> left_out_;
  GapCause left_out_cause_ = GapCause::kLost;  // why a beginning is missing
  struct Published {
    OutboxEntry entry;
    SegmentNumber segment;
    bool stays_unfinished = false;  // a gap follows it
  };
  std::mutex mutex_;
  std::deque<Published> unacknowledged_;  // segments and parts, in order
  std::unique_ptr<Publisher> publisher_;  // ends before what its threads look at
  bool log_failed_ = false;               // since the newest epoch was opened
  EpochSummary before_;                   // over the epochs that are closed
  Totals totals_;
};

}  // namespace gopline::splitter
