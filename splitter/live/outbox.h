#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/clock.h"
#include "common/base/stop_signal.h"
#include "common/media/segment.h"
#include "common/media/types.h"
#include "common/record/markers.h"
#include "common/record/vocabulary.h"
#include "splitter/metrics.h"

namespace gopline::splitter {

// What a live source has for the log, in order.
struct EpochBegin {
  media::SourceInfo source;
  std::vector<media::Track> tracks;
  std::string init_xxh3;
  record::CaptureClock clock = record::CaptureClock::kArrival;
};
struct LiveSegment {
  media::BuiltSegment segment;
  Timestamp time;     // capture time of its first main packet
  Timestamp end;      // and of its end
  SteadyTime read{};  // when its first packet came
  record::CaptureClock clock = record::CaptureClock::kArrival;
};
struct EpochEnd {
  record::EndCause cause = record::EndCause::kSourceLost;
};
using OutboxItem = std::variant<EpochBegin, LiveSegment, record::GapFacts, EpochEnd>;

// What is on its way from a live source to the log, bounded in bytes. A source cannot wait: where the log is
// slower than it for too long, the oldest GOPs leave (a segment that can be played from, and its
// continuations), and a gap of cause `over-budget` takes their place. Thread-safe: one thread pushes, one
// pops.
class Outbox {
 public:
  explicit Outbox(std::uint64_t max_bytes, StreamMetrics metrics = {})
      : max_bytes_(max_bytes), metrics_(std::move(metrics)) {}

  void push(OutboxItem item);  // never waits
  void close();                // nothing more will come
  // Waits for the next item. nullopt: closed and empty, or stopped.
  std::optional<OutboxItem> pop(const StopToken& stop);

  struct Usage {
    std::uint64_t bytes = 0;  // held now
    std::uint64_t dropped_bytes = 0;
    std::int64_t dropped_segments = 0;
    std::optional<Timestamp> oldest;  // capture time of what has waited longest
  };
  Usage usage() const;

 private:
  void drop_oldest_gop();

  const std::uint64_t max_bytes_;
  const StreamMetrics metrics_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<OutboxItem> items_;
  Usage usage_;
  bool closed_ = false;
};

}  // namespace gopline::splitter
