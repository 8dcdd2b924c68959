#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "aggregator/follow/playout.h"
#include "aggregator/part_cutter.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/payload/blob_source.h"
#include "common/reading/claim_fetcher.h"
#include "common/record/chunk_assembler.h"

namespace gopline::aggregator {

struct RecordFeedOptions {
  std::string stream;
  payload::BlobSource* blobs = nullptr;          // nullptr: payloads outside of the log are absent
  Duration patience = std::chrono::seconds(30);  // for the chunks of a segment
  // The epoch's opening record, where it was written before the reading began; nullopt: nobody knows it.
  std::function<Result<std::optional<record::StartedEpoch>>(EpochNumber)> find_epoch;
};

struct RecordFeedStats {
  std::uint64_t payload_bytes = 0, blob_bytes = 0;
  std::uint64_t segments = 0, pieces = 0;
  std::uint64_t duplicates = 0, late = 0, foreign_records = 0;
};

// From records, as they come, to what a Playout takes: one stream's segments, assembled and verified, or
// their parts while they are still being written, and its markers. Footage that is written late (the spill of
// an outage) is history and not played. Not thread-safe.
class RecordFeed {
 public:
  RecordFeed(Playout& playout, RecordFeedOptions options, StopToken stop);

  // Takes a record that came now. Other streams' are passed over. An error means that a payload outside of
  // the log, or who began an epoch, cannot be read now.
  Result<void> take(StoredRecord stored, SteadyTime now);
  // Gives up what waits too long for its chunks. Now and then.
  Result<void> expire(SteadyTime now);

  // Of an epoch that has been pushed to the playout.
  const record::StartedEpoch* epoch(EpochNumber number) const;
  void know(record::StartedEpoch started);
  void forget_before(EpochNumber number);  // they are not played any more
  RecordFeedStats stats() const;

 private:
  Result<void> pass_on(std::vector<record::AssemblerEvent> events, SteadyTime now);
  Result<void> take(record::AssembledSegment segment, SteadyTime now);
  Result<void> take(record::OpenChunk chunk, SteadyTime now);
  Result<void> take(const record::LostSegment& lost, SteadyTime now);
  Result<void> take(record::StartedEpoch started, SteadyTime now);
  Result<void> take(const record::EndedEpoch& ended, SteadyTime now);
  Result<void> take(const record::WrittenGap& gap, SteadyTime now);
  Result<void> take(const record::BadRecord& bad, SteadyTime now);
  Result<bool> is_known(EpochNumber number);
  void saw(const record::SegmentHeaders& headers);
  void push(Piece piece, SteadyTime now);
  std::optional<PartCutter> close(const record::SegmentHeaders& headers);
  void lose(const record::SegmentHeaders& headers, AbsenceCause cause, std::int64_t from_part = 0);

  Playout& playout_;
  RecordFeedOptions options_;
  std::unique_ptr<reading::ClaimFetcher> claims_;
  record::ChunkAssembler assembler_;
  std::map<EpochNumber, record::StartedEpoch> epochs_;
  // Of what the assembler waits for, and as bounded: they share its chunks.
  std::map<std::pair<EpochNumber, SegmentNumber>, PartCutter> open_;
  std::map<EpochNumber, std::int64_t> next_segment_;  // after the highest that anything was seen of
  RecordFeedStats stats_;
};

}  // namespace gopline::aggregator
