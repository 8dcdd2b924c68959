#pragma once
#include <memory>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/log/log.h"
#include "common/record/markers.h"
#include "splitter/epoch_opener.h"

namespace gopline::splitter {

// What the log has acknowledged of an epoch so far.
struct Acknowledged {
  std::int64_t segments = 0;
  std::uint64_t bytes = 0;
};

// Follows an epoch's acknowledgements: when all chunks of a segment are in the log, its index entry is
// written; at every full hour the roll-up; now and then the state in NS.streams. On a thread of its own,
// because acknowledgements come from the log's, which must not wait. Thread-safe.
class IndexKeeper {
 public:
  IndexKeeper(Log& log, LogWriter& writer, const Clock& clock, const record::Topics& topics, OpenEpoch epoch,
              std::function<void(const record::IndexEntry&)> on_acknowledged = {});
  ~IndexKeeper();  // without finish(): what was not indexed yet stays so

  struct InFlight;
  using Flight = std::shared_ptr<InFlight>;  // a segment on its way; nullptr: nothing of it yet

  // The callback for each of the next `chunks` of a segment, in order; `entry` lacks only its offsets, and
  // what is not known while the segment has not ended (`is_last`). The callbacks may outlive the keeper.
  std::vector<DeliveryCallback> expect(Flight& flight, record::IndexEntry entry, std::size_t chunks,
                                       bool is_last);
  // No more of that segment is handed over, which is not told as lost: nothing of it was, or its writer says
  // what is missing.
  void forget(const Flight& flight);
  // Of what was expected and is not acknowledged, a gap for each run of segments: once all is answered for,
  // what the log has refused.
  std::vector<record::GapFacts> unacknowledged() const;
  // The callback of a record that is not a segment: only its failure matters.
  DeliveryCallback expect_marker();

  // Once everything handed over is answered for: writes what is left of the index and the last roll-up.
  void finish();
  // Writes NS.streams a last time, unless a newer epoch has it.
  Result<void> write_state(std::optional<record::EndCause> ended);

  Acknowledged acknowledged() const;
  std::optional<Error> error() const;  // the first failure of anything
  void fail_with(Error error);
  bool is_late() const;  // a newer epoch has begun

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gopline::splitter
