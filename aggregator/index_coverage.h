#pragma once
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/strong_int.h"

namespace gopline::aggregator {

// Which records of a partition the index says nothing of, so that a survey reads these and no others.
//
// Between its epoch.started and its newest indexed chunk the index tells everything of an epoch, but for
// numbers that are missing there. What comes behind that chunk (segments without an entry yet, gaps,
// epoch.ended) it does not tell; it lies somewhere before the epoch's epoch.ended. So an epoch is "open" from
// its newest indexed chunk until its epoch.ended has been seen, and while any is open, everything is read:
// also within another epoch, because a writer that was superseded goes on beside the newer one, and to the
// partition's end where a writer died.
class IndexCoverage {
 public:
  enum class Scope {
    kEverything,   // also what lies between the epochs: some have no segment
    kKnownEpochs,  // only these, until each has ended
  };
  explicit IndexCoverage(Scope scope) : scope_(scope) {}
  // Tells of everything before `from`, and of nothing behind it.
  explicit IndexCoverage(Offset from);

  // The index tells of what lies in [begin, end).
  void add(EpochNumber number, Offset begin, Offset end);
  // But not of this. Nothing when it is empty.
  void add_hole(Offset begin, Offset end);

  // The survey has come by the epoch's end, or by a record of an epoch that may be unknown.
  void saw_end(EpochNumber number);
  void saw(EpochNumber number, Offset at);

  // What has to be read next, at or after `at`; nullopt: nothing. Holds until has_changed().
  struct Range {
    Offset begin;
    std::optional<Offset> end;  // nullopt: of the partition
  };
  std::optional<Range> next(Offset at);
  // Whether something was seen since next() that changes its answer.
  bool has_changed() const { return changed_; }

 private:
  struct Epoch {
    Offset begin, end;
    bool ended = false;
  };
  Scope scope_;
  std::map<EpochNumber, Epoch> epochs_;
  std::vector<std::pair<Offset, Offset>> holes_;
  bool changed_ = false;

  bool is_unknown(Offset at) const;
  std::optional<Offset> next_border(Offset at) const;
};

}  // namespace gopline::aggregator
