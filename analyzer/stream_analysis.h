#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analyzer/analyze_streams.h"
#include "analyzer/event_log.h"
#include "common/reading/claim_fetcher.h"
#include "common/reading/epoch_finder.h"
#include "common/record/chunk_assembler.h"
#include "common/record/detection.h"
#include "common/record/topics.h"

namespace gopline::analyzer {

// What all streams of a worker share.
struct Workshop {
  Log& log;
  const Clock& clock;
  const AnalyzerKind& kind;
  const AnalyzeOptions& options;
  const AnalyzeEvents& events;
  const record::Topics& topics;
  reading::EpochFinder& epochs;
  EventLog& event_log;
  reading::ClaimFetcher* claims;  // nullptr: nobody said where
  StopToken stop;
  AnalyzeReport& report;
};

// Of a record that led to something.
struct RecordPlace {
  Offset offset;
  Timestamp written;
};

// One stream as its records come: each epoch has its own decoder and analyzer, and goes on where nothing is
// missing. An error means that the log cannot be read now; what is wrong with a segment is this one's own
// matter. Not thread-safe.
class StreamAnalysis {
 public:
  StreamAnalysis(Workshop& workshop, std::string stream, PartitionId partition);

  // What the assembler made of a record.
  Result<void> take(record::AssemblerEvent event, const RecordPlace& place);
  // What is held back for a segment that does not come is held back no longer.
  void settle_what_waits(SteadyTime now);
  void settle();

  // What is certain by now.
  std::vector<ToldDetection> take_detections() { return std::exchange(told_, {}); }
  std::vector<record::DeadLetter> take_dead_letters() { return std::exchange(letters_, {}); }
  std::optional<Offset> oldest_offset() const;

 private:
  Result<void> take(record::AssembledSegment& segment, const RecordPlace& place);
  Result<void> take(const record::LostSegment& lost, const RecordPlace& place);
  Result<void> take(record::StartedEpoch& started, const RecordPlace& place);
  Result<void> take(const record::EndedEpoch& ended, const RecordPlace& place);
  Result<void> take(const record::WrittenGap& gap, const RecordPlace& place);
  Result<void> take(const record::BadRecord& bad, const RecordPlace& place);

  Result<EpochAnalysis*> analysis_of(EpochNumber epoch);
  Result<std::optional<SegmentToAnalyze>> with_payload(record::AssembledSegment& segment);
  Result<void> analyze(const SegmentToAnalyze& segment, bool keys_alone);
  // `told_from`: what is found in segments before it has been told.
  Result<void> attempt(EpochAnalysis& analysis, const SegmentToAnalyze& segment, SegmentNumber told_from,
                       bool keys_alone);
  void give_up(const SegmentToAnalyze& segment, const Error& error, std::int64_t attempts);
  void cut(EpochNumber epoch, Offset because);
  // The epoch's analyzer as it was at a record that says that the footage ends there: a worker that has just
  // taken over has none, and what was open has to end all the same.
  Result<void> catch_up(EpochNumber epoch, Offset because);
  Result<void> lead_up_to(EpochAnalysis& analysis, const record::SegmentHeaders& headers,
                          SegmentNumber told_from);
  void drop_epochs_before(EpochNumber epoch, Offset because);
  void collect(EpochAnalysis& analysis);
  bool is_behind(const SegmentToAnalyze& segment, Timestamp written);
  AnalyzedStream& report() { return workshop_.report.streams[stream_]; }

  Workshop& workshop_;
  const std::string stream_;
  const PartitionId partition_;
  std::map<EpochNumber, std::unique_ptr<EpochAnalysis>> epochs_;
  std::map<EpochNumber, AnalysisStats> counted_;  // of the stats of open ones, what is in the report
  std::vector<ToldDetection> told_;
  SteadyTime newest_segment_came_{};
  std::vector<record::DeadLetter> letters_;
  bool was_behind_ = false;
};

}  // namespace gopline::analyzer
