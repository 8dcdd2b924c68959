#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "aggregator/follow/clock_drift.h"
#include "aggregator/follow/piece.h"
#include "aggregator/follow/playout_delay.h"
#include "aggregator/follow/resequencer.h"
#include "common/base/clock.h"

namespace gopline::aggregator {

struct PlayoutOptions {
  // At the pace of the stream, for who plays what comes out. Else what follows on what was put out is due
  // when it is here, and only a hole is held for: for who keeps it.
  bool paced = true;
  ResequencerOptions order = {};
  PlayoutDelayOptions delay = {};
  ClockDriftOptions drift = {};
};

struct PlayoutStats {
  ResequencerStats order;
  std::size_t waiting_bytes = 0, waiting_pieces = 0;
  Duration delay{};      // behind the quickest way from the writer
  double drift_ppm = 0;  // of the epoch that is put out; above 0: the writer's clock is slower
};

// A jitter buffer for pieces of video: a stream in the order and at the pace in which it was made.
//
// A piece is due when its beginning could have been here at the earliest (ClockDrift), plus the delay that
// nearly all pieces keep (PlayoutDelay). It is put out when it is due, in order; at a hole the next access
// point is, and then the hole is stated (Resequencer). So no access point is ever held up longer than the
// delay, and nothing is held for that cannot come. What comes too late to be due is put out at once, as long
// as nothing behind it was.
//
// Pure: now is an argument. Not thread-safe.
class Playout {
 public:
  explicit Playout(PlayoutOptions options = {})
      : options_(options), order_(options.order), delay_(options.delay) {}

  // As of the Resequencer.
  void start_at(const Position& start) { order_.start_at(start); }
  void begin_epoch(EpochNumber epoch) { order_.begin_epoch(epoch); }
  void end_epoch(EpochNumber epoch, std::int64_t segments) { order_.end_epoch(epoch, segments); }
  void note_unwritten(EpochNumber epoch, std::int64_t before_segment, const UnwrittenFootage& footage) {
    order_.note_unwritten(epoch, before_segment, footage);
  }
  void lose(const Position& begin, const Position& end, AbsenceCause cause) {
    order_.lose(begin, end, cause);
  }
  void finish() { order_.finish(); }

  Resequencer::Taken push(Piece piece, SteadyTime arrival);

  // When pop() will have something, as far as is known now: not after `now` when it has. nullopt: nothing
  // until something is pushed or told.
  std::optional<SteadyTime> next_due(SteadyTime now) const;
  // The next item, if it is due.
  std::optional<PlayoutItem> pop(SteadyTime now);

  PlayoutStats stats(SteadyTime now) const;

 private:
  // Within it media time runs with time: an epoch up to a discontinuity.
  using Timeline = std::pair<EpochNumber, std::int64_t>;
  static Timeline timeline_of(const Piece& piece) { return {piece.at.epoch, piece.discontinuity}; }
  void measure(const Piece& piece, SteadyTime arrival);

  PlayoutOptions options_;
  Resequencer order_;
  PlayoutDelay delay_;
  std::map<Timeline, ClockDrift> drifts_;  // of the timeline that is put out, and of those that wait
};

}  // namespace gopline::aggregator
