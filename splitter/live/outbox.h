#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "common/base/clock.h"
#include "common/base/stop_signal.h"
#include "splitter/live/outbox_item.h"
#include "splitter/live/spill.h"
#include "splitter/metrics.h"

namespace gopline::splitter {

struct OutboxLimits {
  std::uint64_t memory_bytes = 64 << 20;
  std::uint64_t spill_bytes = 10ULL << 30;      // on disk, where there is a spill
  Duration spill_age = std::chrono::hours(24);  // by capture time, of the oldest on disk
};

// What is on its way from a live source to the log, bounded in bytes. A source cannot wait: where the log is
// slower than it for too long, what comes goes to the spill, if there is one, until all of that has been
// taken; beyond its bounds, and without one, the oldest GOPs leave (a segment that can be played from, and
// its continuations, or what is there of these), and a gap of cause `over-budget` takes their place. Parts of
// segments are items like segments. Thread-safe: one thread pushes, one pops.
class Outbox {
 public:
  explicit Outbox(OutboxLimits limits, StreamMetrics metrics = {}, std::unique_ptr<Spill> spill = nullptr);

  void push(OutboxItem item);  // never waits for the log
  void close();                // nothing more will come
  // Waits for the next item, which is the reader's until done(). nullopt: closed and empty, or stopped.
  std::optional<OutboxEntry> pop(const StopToken& stop);
  // The log has it.
  void done(std::uint64_t number);
  // The log cannot have it, because it is part of a segment whose beginning is dropped.
  void drop(const OutboxEntry& entry);

  // At the end, when the log has not taken these, which were popped, of the epoch that `begin` is of: they
  // and what was never popped are kept for the next run. True if there is nothing to keep, or a spill has it
  // all.
  bool keep(std::deque<OutboxEntry> popped, const std::optional<EpochBegin>& begin);

  struct Usage {
    std::uint64_t bytes = 0;          // held now, in memory and on disk
    std::uint64_t spilled_bytes = 0;  // of these, on disk
    std::uint64_t dropped_bytes = 0;
    std::int64_t dropped_segments = 0;
    std::optional<Timestamp> oldest;  // capture time of what has waited longest
  };
  Usage usage() const;

 private:
  bool spills(std::uint64_t size) const;
  void spill(OutboxEntry entry);
  void keep_spill_in_bounds(Timestamp newest);
  void drop_oldest_gop();
  void count(const DroppedGop& dropped);

  const OutboxLimits limits_;
  const StreamMetrics metrics_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<OutboxEntry> items_;  // in memory: older than what is spilled
  std::unique_ptr<Spill> spill_;
  std::uint64_t next_ = 4;
  std::optional<EpochBegin> begin_;  // of the newest epoch
  bool begin_is_spilled_ = false;
  std::optional<record::GapFacts> untold_;  // what could be written nowhere, before the next item
  std::uint64_t memory_bytes_ = 0;
  std::uint64_t dropped_bytes_ = 0;
  std::int64_t dropped_segments_ = 0;
  bool closed_ = false;
};

}  // namespace gopline::splitter
