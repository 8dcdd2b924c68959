#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "aggregator/follow/piece.h"

namespace gopline::aggregator {

struct ResequencerOptions {
  std::size_t max_bytes = 64 << 20;  // of pieces that wait, with what each costs beside its bytes
};

// The writer's word for footage that it did not write.
struct UnwrittenFootage {
  AbsenceCause cause = AbsenceCause::kSourceOutage;
  Timestamp from, to;       // capture time
  std::uint64_t bytes = 0;  // 0: unknown
};

struct ResequencerStats {
  std::uint64_t played = 0;
  std::uint64_t duplicates = 0;    // waiting or played already
  std::uint64_t late = 0;          // given up before they came, or of an epoch that a newer one has replaced
  std::uint64_t before_start = 0;  // older than the access point at which the output began
  std::uint64_t unplayable = 0;    // came, and no access point between the gap and them
  std::uint64_t over_budget = 0;   // dropped for want of memory
  std::uint64_t gaps = 0;          // holes of the output, however many statements told of each
  std::uint64_t joins = 0;         // of epochs
  bool operator==(const ResequencerStats&) const = default;
};

// Puts the pieces of one stream in order, each at most once, and states what is missing.
//
// The output is a line of positions without holes: each piece, and each gap, begins where the one before
// ended. At a hole the next access point that has arrived is offered, and taking it gives the hole up; so
// whoever takes it only when it is due holds for what is missing as long as that costs nobody a delay. What
// can not come any more is not held for: an epoch that has ended or been replaced, what was told as lost.
// Past `max_bytes` the oldest pieces go, as a gap.
//
// Order alone: time is the caller's (Playout). Pure; not thread-safe.
class Resequencer {
 public:
  explicit Resequencer(ResequencerOptions options = {}) : options_(options) {}

  // The output begins here. Not said: at the first access point that is taken, or with the first epoch whose
  // beginning is told.
  void start_at(const Position& start);

  // Markers of the log. An epoch that begins ends all older ones. One that has ended had so many segments.
  void begin_epoch(EpochNumber epoch);
  void end_epoch(EpochNumber epoch, std::int64_t segments);
  // Footage before this segment was never written.
  void note_unwritten(EpochNumber epoch, std::int64_t before_segment, const UnwrittenFootage& footage);
  // [begin, end) of one epoch will not come; a piece of it that comes nonetheless in time is played.
  void lose(const Position& begin, const Position& end, AbsenceCause cause);

  enum class Taken { kWaits, kDuplicate, kLate, kOverBudget };
  Taken push(Piece piece);
  // No more comes: nothing is held for from now on.
  void finish();

  // What take() would lead to: a statement, which is due at once, or a piece.
  struct Next {
    const Piece* piece = nullptr;  // nullptr: a statement. Valid until the next call that is not const
    bool gives_up = false;         // something before the piece
  };
  std::optional<Next> next() const;  // nullopt: nothing can be done but wait
  // The next item of the output; statements that a piece depends on come first.
  std::optional<PlayoutItem> take();

  std::size_t waiting_bytes() const { return waiting_bytes_; }
  std::size_t waiting() const { return waiting_.size(); }
  // The oldest epoch that is still of interest.
  std::optional<EpochNumber> oldest_epoch() const;
  const ResequencerStats& stats() const { return stats_; }

 private:
  struct Absent {
    Position end;
    AbsenceCause cause = AbsenceCause::kLost;
  };
  struct Epoch {
    std::optional<std::int64_t> segments;                // it has ended with
    std::optional<Position> evicted_to;                  // what had come before this was dropped
    std::map<Position, Absent> absent;                   // told to be
    std::map<std::int64_t, UnwrittenFootage> unwritten;  // by the segment after it
  };
  enum class Move { kNothing, kState, kStateUnwritten, kGiveUp, kResume, kPlay, kBegin, kPassOver, kJoin };
  struct Step {
    Move move = Move::kNothing;
    Position target{};
  };
  struct Run {  // of positions that are absent for one reason
    Position end;
    AbsenceCause cause = AbsenceCause::kLost;
    bool told = false;  // nobody waits for it
  };
  using Waiting = std::map<Position, Piece>;

  Step decide() const;
  Step decide_beginning() const;
  bool is_closed(EpochNumber epoch) const;
  bool know(EpochNumber epoch);
  std::optional<Position> access_point_from(const Position& position) const;
  Position end_of(EpochNumber epoch) const;
  Run absent_run(const Position& from, const Position& limit) const;
  void give_up(const Position& target);
  void state_gap(const Position& end, AbsenceCause cause, std::int64_t unplayable);
  void state_unwritten();
  void begin(const Position& start);
  void pass_over_beginning();
  void join_next();
  PlayoutPiece play();
  Taken refuse(const Position& at);
  std::int64_t drop_below(const Position& end);
  void drop(Waiting::iterator piece);
  void evict();
  void evict_epoch();
  void remember_gap(const Position& begin, const Position& end);

  ResequencerOptions options_;
  Waiting waiting_;
  std::set<Position> access_points_;  // of waiting_
  std::size_t waiting_bytes_ = 0;
  std::map<EpochNumber, Epoch> epochs_;  // the one that is put out, and newer ones
  std::optional<EpochNumber> newest_;
  std::int64_t passed_over_ = 0;
  std::optional<Position> first_, expected_;  // of the output, and what is next; nullopt: not begun
  bool resuming_ = false;                     // only an access point can be put out
  bool in_gap_ = false;                       // the newest statement was a gap
  bool open_gop_ = false;                     // whose leading pictures are to be left out
  bool finished_ = false;
  AbsenceCause cause_ = AbsenceCause::kLost;            // of the newest gap
  std::optional<Timestamp> reached_;                    // capture time at which the newest piece or gap ended
  std::deque<PlayoutItem> stated_;                      // not taken yet; of one step of decide()
  std::deque<std::pair<Position, Position>> given_up_;  // the newest: what is of these is late, not twice
  ResequencerStats stats_;
};

}  // namespace gopline::aggregator
