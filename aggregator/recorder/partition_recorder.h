#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "aggregator/recorder/record_streams.h"
#include "aggregator/recorder/recording_progress.h"
#include "aggregator/recorder/stream_recorder.h"
#include "common/catalog/stream_directory.h"
#include "common/log/log.h"
#include "common/record/chunk_assembler.h"
#include "common/record/topics.h"

namespace gopline::aggregator {

// What the recorders of all partitions share.
struct RecorderShared {
  Log& log;
  const Clock& clock;
  const RecordOptions& options;
  const RecordEvents& events;
  const record::Topics& topics;
  RecordingProgress& progress;
  catalog::StreamDirectory& directory;
  reading::ClaimFetcher* claims;
  LogReader* reader = nullptr;
  RecordReport report = {};
};

// Records the streams of one partition, and commits for the group what all of them are done with.
class PartitionRecorder {
 public:
  PartitionRecorder(RecorderShared& shared, TopicPartition where);
  PartitionRecorder(const PartitionRecorder&) = delete;
  PartitionRecorder& operator=(const PartitionRecorder&) = delete;

  void take(StoredRecord stored, SteadyTime now);
  void tick(Timestamp wall, SteadyTime now);
  void finish(FileEnd end);  // everything that is open, and commits

  bool records(const std::string& stream) const;
  std::map<std::string, std::string> failures() const;  // why which streams are behind
  // Whether streams are behind that may still be recorded: they have not been retried often enough.
  bool will_retry() const { return retry_at_ && retries_ < kRetriesAtTheEnd; }

 private:
  static constexpr int kRetriesAtTheEnd = 3;

  struct Entry {
    RecordingWorld world;
    std::unique_ptr<StreamRecorder> recorder;
    RecordedStreamMetrics metrics;
    bool behind = false;  // as was told
  };

  Entry* entry_of(const std::string& stream);  // nullptr: not asked for
  void pass_on(std::vector<record::AssemblerEvent> events, Offset offset, SteadyTime now);
  void wrote(Entry& entry, const SegmentData& segment);
  void tell_failure(Entry& entry, const std::string& stream, const std::string& why);
  void look_for_failures(SteadyTime now);
  void retry(SteadyTime now);
  std::optional<Offset> prefix() const;
  Result<void> commit();
  Result<void> finished(const Recording& recording, bool known);
  Result<const record::StartedEpoch*> find_epoch(const std::string& stream, EpochNumber number);

  RecorderShared& shared_;
  const TopicPartition where_;
  record::ChunkAssembler assembler_;
  std::map<std::string, std::unique_ptr<Entry>> streams_;  // nullptr: not asked for
  std::optional<Offset> next_;                             // after the last record taken
  std::optional<Offset> committed_;
  std::optional<SteadyTime> retry_at_;
  int retries_ = 0;  // since all streams were well
  SteadyTime commit_at_{};
};

}  // namespace gopline::aggregator
