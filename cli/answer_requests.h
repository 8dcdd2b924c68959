#pragma once
#include <memory>
#include <string>
#include <vector>

#include "analyzer/analyzer.h"
#include "analyzer/requests/answer_requests.h"
#include "cli/command.h"
#include "cli/options.h"
#include "common/base/result.h"

namespace CLI {
class App;
}  // namespace CLI

namespace gopline::cli {

// `analyze --requests`: pictures that are sent, instead of streams.
struct RequestCliOptions {
  bool are_answered = false;
  std::string topic;                      // empty: NS.requests
  std::vector<std::string> reply_topics;  // empty: NS.replies and NS.replies-*
};

// The topics of a namespace for those who send pictures, and for those who answer.
std::string request_topic(const std::string& topic_namespace);
std::string reply_topic(const std::string& topic_namespace);

void add_request_options(CLI::App& command, RequestCliOptions& options);

// Runs a worker until it is stopped; the exit code. What they have in common with workers on streams comes in
// `worker`: group (empty: it follows from the analyzer), first_start, until_end, session_timeout, member_id.
Result<int> run_requests(const RequestCliOptions& options, analyzer::RequestOptions worker,
                         const analyzer::AnalyzerKind& kind, const LogOptions& log,
                         const OutputOptions& output, const Environment& environment);

}  // namespace gopline::cli
