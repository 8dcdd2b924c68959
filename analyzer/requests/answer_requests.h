#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "analyzer/analyzer.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"

namespace gopline::analyzer {

struct RequestOptions {
  std::string topic;                      // of requests; made where it is missing
  std::string reply_topic;                // made where it is missing; others have to be there
  std::vector<std::string> reply_topics;  // patterns: where answers may go
  std::vector<std::string> never;         // topics to which no answer goes, whatever the patterns say
  std::string group;
  StartPosition first_start = StartPosition::beginning();
  bool until_end = false;
  Duration session_timeout = std::chrono::seconds(30);
  std::string member_id;
  std::int32_t partitions = 8;                  // of topics made now
  Duration retention = std::chrono::hours(24);  // of topics made now
};

struct RequestReport {
  std::int64_t answered = 0;      // with a picture, or words
  std::int64_t failed = 0;        // with an error: the picture is none, or broken, or the analyzer gave up
  std::int64_t unanswerable = 0;  // where to is not said, not allowed, or not there
  std::int64_t repeated = 0;      // attempts after an error of the analyzer's
  bool interrupted = false;
  bool exactly_once = true;  // answers and offsets were written as one
};

// Answers requests as a worker of a group, until somebody asks to stop: looks at the picture of each, and
// writes the answer together with the word that the request is done with, so that each is answered once,
// whoever dies meanwhile. Nothing that a sender sends ends it. `on_ready`: it is a member of its group.
// kUnsupported: the analyzer needs more than one picture.
Result<RequestReport> answer_requests(Log& log, const Clock& clock, const AnalyzerKind& kind,
                                      const RequestOptions& options, const std::function<void()>& on_ready,
                                      const StopToken& stop);

}  // namespace gopline::analyzer
