#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>

#include "aggregator/read_plan.h"
#include "aggregator/record_fetcher.h"
#include "aggregator/selection.h"
#include "aggregator/stream_item.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/media/segment_reader.h"
#include "common/payload/blob_source.h"
#include "common/reading/claim_fetcher.h"
#include "common/record/chunk_assembler.h"

namespace gopline::aggregator {

struct StreamReaderStats {
  std::uint64_t payload_bytes = 0;  // read from the log
  std::uint64_t blob_bytes = 0;     // and from where claim checks led
  std::uint64_t segments = 0;       // whole
  std::uint64_t beginnings = 0;     // of segments that are not, as far as they can be played
  std::uint64_t duplicates = 0;
  std::uint64_t late = 0;
  std::uint64_t foreign_records = 0;
};

// A stream, or a range of it, as a sequence: an EpochBegin, then its segments in the order of their numbers,
// and an Absence wherever one is missing, damaged, or was never written. Of one that is not whole what can be
// played of its beginning comes first; where that is all there is yet of an epoch that goes on, nothing is
// missing. Segments are verified (ChunkAssembler) and read as they are asked for. Not thread-safe; may be
// used from any one thread.
class StreamReader {
 public:
  // `blobs`: where claim checks are redeemed; it outlives the reader. nullptr: what they stand for is absent.
  static Result<std::unique_ptr<StreamReader>> open(Log& log, const Selection& selection, StopToken stop,
                                                    payload::BlobSource* blobs = nullptr);

  // nullopt at the end. An error ends the sequence: kCancelled, or the log's, or that of a store that cannot
  // be read now.
  Result<std::optional<StreamItem>> next();

  const ReadPlan& plan() const { return plan_; }
  StreamReaderStats stats() const;

 private:
  StreamReader(Log& log, ReadPlan plan, StopToken stop, payload::BlobSource* blobs);
  Result<void> advance();
  void begin_epoch();
  void end_epoch();
  void announce_missing(std::int64_t from, std::int64_t to, std::optional<Timestamp> until);
  Result<void> read_segment(std::int64_t number, const PlannedSegment& segment);
  bool take(record::AssemblerEvent event, std::int64_t number, const PlannedSegment& segment);
  void take_lost(record::LostSegment lost, std::int64_t number, const PlannedSegment& segment);
  std::optional<media::PlayablePrefix> give_beginning(record::LostSegment& lost);
  bool begins_what_is_kept() const;
  bool is_being_written(const PlannedSegment& segment) const;
  void announce_claims();
  Result<void> redeem(record::AssembledSegment claimed, std::int64_t number, const PlannedSegment& segment);
  void absent(AbsenceCause cause, std::string reason, std::int64_t number, const PlannedSegment& segment);
  Absence absence_of(AbsenceCause cause, std::string reason) const;
  void never_written(const record::GapFacts& facts);
  std::uint64_t wanted_ahead() const;

  ReadPlan plan_;
  StopToken stop_;
  std::unique_ptr<reading::ClaimFetcher> claims_;  // nullptr: nobody said where
  RecordFetcher fetcher_;
  record::ChunkAssembler assembler_;
  std::deque<StreamItem> ready_;
  std::size_t epoch_ = 0;  // index into plan_.epochs
  bool epoch_open_ = false;
  std::map<std::int64_t, PlannedSegment>::const_iterator segment_;
  std::map<std::int64_t, PlannedSegment>::const_iterator announced_;  // the next one to announce
  std::int64_t expected_ = 0;         // number of the next segment of the epoch
  std::optional<Timestamp> reached_;  // capture time at which the newest segment ended
  std::string damage_;                // what a bad record of the segment in hand was told to be
  std::optional<record::AssembledSegment> claimed_;  // the one in hand, where its payload is not in the log
  StreamReaderStats stats_;
};

}  // namespace gopline::aggregator
