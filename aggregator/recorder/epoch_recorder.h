#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aggregator/recorder/epoch_lane.h"
#include "aggregator/recorder/recording.h"
#include "aggregator/recorder/recording_file.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/record/chunk_assembler.h"

namespace gopline::aggregator {

struct RecordingOptions {
  std::string directory;
  std::string container = "mp4";  // or "matroska"
  Duration split_every = std::chrono::minutes(10);
  Duration patience = std::chrono::seconds(30);  // for what is missing, and behind the end of an interval
};

// What an EpochRecorder needs of its surroundings.
struct RecordingWorld {
  // Before a file takes its name. kConflict: the stream is another recorder's now.
  std::function<Result<void>()> may_finish;
  // A file has its name, or was found to have it (`known`): everything in it is done, and not before.
  std::function<Result<void>(const Recording&, bool known)> finished;
  std::function<void(const SegmentData&)> wrote;
  std::function<Result<const record::StartedEpoch*>(EpochNumber)> find_epoch;  // nullptr: nobody knows it
};

// A file that is being written.
struct OpenRecording {
  std::unique_ptr<RecordingFile> file;
  Recording facts;
  std::int64_t interval = 0;
  std::int64_t discontinuities = 0;
};

// Files of one epoch of one stream. A file holds what lies in one interval of capture time: it ends before
// the first access point at which floor(ce_time / split_every) is another than at its beginning, counted from
// 1970-01-01T00:00:00Z. It also ends where the time line does not go on (ce_discontinuities), a segment is
// missing, or codec parameters change: so where files begin follows from the records alone, and who records
// the same again makes the same files. Not thread-safe.
class EpochRecorder {
 public:
  // `options` and `world` outlive it. `done`: as EpochLane.
  EpochRecorder(const RecordingOptions& options, const RecordingWorld& world, std::string stream,
                EpochNumber epoch, PartitionId partition, std::optional<EpochProgress> done);

  // Any error means that it cannot go on: make a new one from what is done.
  Result<void> take(LaneSegment segment, SteadyTime now);
  Result<void> lose(SegmentNumber number, std::optional<LaneSegment> beginning, LaneGap gap, SteadyTime now);
  Result<void> state(const record::Gap& gap, Offset offset, SteadyTime now);
  Result<void> end(SteadyTime now);         // of the epoch
  void supersede() { superseded_ = true; }  // a newer epoch has begun: hardly anything more will come
  // Gives up what waits too long, and finishes a file to which nothing has come for long enough.
  Result<void> tick(Timestamp wall, SteadyTime now);
  Result<void> finish(FileEnd end);  // what there is

  bool is_done(SegmentNumber number) const { return lane_.is_done(number); }
  bool idle() const { return !file_ && gaps_.empty() && lane_.empty(); }
  // The lowest offset of a record that is not in a finished file. nullopt: all are.
  std::optional<Offset> oldest_offset() const;

 private:
  Result<void> drain(SteadyTime now);
  Result<void> put(LaneSegment segment, SteadyTime now);
  Result<void> put(LaneGap gap, SteadyTime now);
  Result<void> open(const LaneSegment& segment);
  Result<bool> is_there_already(const LaneSegment& segment, const std::string& stem);
  Result<void> write(const LaneSegment& segment);
  Result<void> finish_file(FileEnd end);
  Result<void> write_gaps_alone();
  void tell_gaps(Recording& facts);
  void add_gap(LaneGap gap);
  void skip(const LaneSegment& segment, std::string reason, AbsenceCause cause);
  std::optional<FileEnd> end_before(const SegmentData& segment) const;
  std::int64_t interval_of(Timestamp time) const;
  bool is_over(Timestamp wall, SteadyTime now) const;
  std::string folder() const;

  const RecordingOptions& options_;
  const RecordingWorld& world_;
  const std::string stream_;
  const EpochNumber epoch_;
  const PartitionId partition_;
  EpochLane lane_;
  std::optional<OpenRecording> file_;
  std::vector<LaneGap> gaps_;         // that no file tells yet
  std::optional<Timestamp> reached_;  // capture time at which the newest segment ended
  bool superseded_ = false;
  bool resuming_;        // waits for an access point
  SteadyTime newest_{};  // when something came
};

}  // namespace gopline::aggregator
