#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/analyzer.h"
#include "analyzer/enricher.h"
#include "analyzer/epoch_analysis.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/payload/blob_source.h"
#include "common/payload/blob_store.h"

namespace gopline::analyzer {

// What a worker does that is further behind than it may be.
enum class LagPolicy {
  kBlock,      // nothing: everything is analyzed, however late
  kKeyOnly,    // only key frames, until it has caught up
  kSkipToKey,  // segments are passed over, until it has caught up
};
std::string_view to_string(LagPolicy policy);  // "block", "key-only", "skip-to-key"

struct AnalyzeOptions {
  std::string topic_namespace = "gopline";
  std::vector<std::string> patterns;  // of streams, as a shell's: * ? [...]; a '/' is a character like others
  std::string group;                  // workers with the same one share the streams
  StartPosition first_start = StartPosition::beginning();  // where the group has not been yet
  bool until_end = false;                                  // ends with what is there at the beginning
  std::optional<FrameChoice> frames;                       // instead of the analyzer's own wish
  LagPolicy lag = LagPolicy::kBlock;
  Duration lag_limit = std::chrono::seconds(10);  // behind the writing of a segment
  Duration session_timeout = std::chrono::seconds(30);
  std::string member_id;
  Duration patience = std::chrono::seconds(30);  // for the chunks of a segment
  ThumbnailOptions thumbnails;
  Enricher* enricher = nullptr;  // what is added to events as they are written; nullptr: nothing
  payload::BlobStore* thumbnail_store = nullptr;  // for those that are too large for their events
  payload::BlobSource* blobs = nullptr;  // nullptr: payloads outside of the log are passed over, and said
};

struct AnalyzedStream {
  AnalysisStats analysis;
  std::int64_t events = 0;     // that started
  std::int64_t records = 0;    // written of all
  std::int64_t gaps = 0;       // where the footage did not go on
  std::int64_t lost = 0;       // segments that could not be read
  std::int64_t skipped = 0;    // segments passed over for want of time
  std::int64_t keys_only = 0;  // segments of which only key frames were looked at, for want of time
  std::int64_t dead = 0;       // segments given up, written to NS.dead
  std::int64_t repeated = 0;   // attempts after an error
  std::int64_t thumbnails_elsewhere = 0;  // in the store, and a reference in the event
  std::int64_t thumbnails_refused = 0;    // by the store: the event has none
};

struct AnalyzeReport {
  std::map<std::string, AnalyzedStream> streams;
  bool interrupted = false;
  bool exactly_once = true;  // events and offsets were written as one
  bool whole() const;        // nothing lost, skipped, given up, undecodable, or late at a join
};

struct AnalyzeEvents {
  std::function<void()> on_ready;                              // it is a member of its group
  std::function<void(const record::Detection&)> on_detection;  // is in the log
};

// Analyzes streams as a worker of a group, until somebody asks to stop: reads segments, decodes what the
// analyzer wants to see of them, and writes what it finds to NS.events together with how far it has come.
// Start more of them, anywhere, and the streams are shared; kill one and its streams move. A segment that
// cannot be analyzed is tried again, at most three times, and then written to NS.dead with the reason.
// One thread does it all: more cores want more workers. kNotFound: the log has no streams yet. Events are
// called on the caller's thread.
Result<AnalyzeReport> analyze_streams(Log& log, const Clock& clock, const AnalyzerKind& kind,
                                      const AnalyzeOptions& options, const AnalyzeEvents& events,
                                      const StopToken& stop);

}  // namespace gopline::analyzer
