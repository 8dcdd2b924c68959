#pragma once
#include <map>
#include <optional>
#include <string>

#include "aggregator/recorder/epoch_recorder.h"
#include "aggregator/recorder/recording_progress.h"
#include "common/reading/claim_fetcher.h"
#include "common/record/chunk_assembler.h"

namespace gopline::aggregator {

// Records one stream: each of its epochs, the late ones too. What fails fails for this stream alone: its open
// files are dropped, and it waits to be given the same records again. Not thread-safe.
class StreamRecorder {
 public:
  // References and pointers outlive it. `claims` nullptr: payloads outside of the log are absent.
  StreamRecorder(const RecordingOptions& options, const RecordingWorld& world, reading::ClaimFetcher* claims,
                 RecordingProgress& progress, std::string stream, PartitionId partition);

  // What the assembler made of the record at `offset`.
  void take(record::AssemblerEvent event, Offset offset, SteadyTime now);
  void tick(Timestamp wall, SteadyTime now);
  void finish(FileEnd end);

  // The lowest offset of a record that is not in a finished file.
  std::optional<Offset> oldest_offset() const;

  // Why it takes nothing at present.
  const std::optional<Error>& failure() const { return failure_; }
  // Goes on. The records from oldest_offset() on have to come again.
  void retry() { failure_.reset(); }

  const record::StartedEpoch* epoch(EpochNumber number) const;
  void know(record::StartedEpoch started);

 private:
  Result<void> take(record::AssembledSegment& segment, SteadyTime now);
  Result<void> take(record::LostSegment& lost, SteadyTime now);
  Result<void> take(record::StartedEpoch& started, Offset offset);
  Result<void> take(record::EndedEpoch& ended, SteadyTime now);
  EpochRecorder& recorder_of(EpochNumber number);
  std::optional<LaneSegment> beginning_of(record::LostSegment& lost);
  void guard(const Result<void>& result, std::optional<Offset> pending);
  std::optional<Offset> oldest_of_epochs() const;

  const RecordingOptions& options_;
  const RecordingWorld& world_;
  reading::ClaimFetcher* claims_;
  RecordingProgress& progress_;
  const std::string stream_;
  const PartitionId partition_;
  std::map<EpochNumber, EpochRecorder> epochs_;
  std::map<EpochNumber, record::StartedEpoch> started_;
  std::map<EpochNumber, Offset> begun_;  // whose opening record has come, from their beginning
  std::optional<Error> failure_;
  std::optional<Offset> resume_;  // while there is one
};

}  // namespace gopline::aggregator
