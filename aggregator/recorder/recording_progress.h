#pragma once
#include <map>
#include <memory>
#include <string>

#include "aggregator/recorder/epoch_lane.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/catalog/partition_scan.h"
#include "common/log/log.h"

namespace gopline::aggregator {

// What of a stream lies in finished files.
using StreamProgress = std::map<EpochNumber, EpochProgress>;

// How far a group's recorders are with each stream: the newest record of each key GROUP/STREAM in
// NS.recordings, which is compacted. A group's committed offset says how far all streams of a partition are;
// this says which of what lies behind it is recorded already. Not thread-safe.
class RecordingProgress {
 public:
  // Makes the topic where it is missing. `log` and `clock` outlive it.
  static Result<std::unique_ptr<RecordingProgress>> open(Log& log, const Clock& clock,
                                                         const std::string& topic_namespace,
                                                         const std::string& group);

  Result<void> refresh();  // reads what others have written up to now
  const StreamProgress& of(const std::string& stream) { return streams_[stream]; }

  // Durable on return. Of many epochs only the newest are remembered.
  Result<void> advance(const std::string& stream, EpochNumber epoch, EpochProgress done,
                       const std::string& file);

 private:
  RecordingProgress(Log& log, const Clock& clock, TopicPartition where, std::string group);
  std::string key_of(const std::string& stream) const;
  void take(const StoredRecord& stored);

  Log& log_;
  const Clock& clock_;
  TopicPartition where_;
  std::string group_;
  catalog::PartitionScanner scanner_;
  std::unique_ptr<LogWriter> writer_;
  Offset next_{};
  std::map<std::string, StreamProgress> streams_;
};

}  // namespace gopline::aggregator
