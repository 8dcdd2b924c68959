#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"

namespace gopline::analyzer {

struct AskOptions {
  std::string topic;            // where workers take requests from
  std::string reply_topic;      // has to be there
  std::string subject = "ask";  // whose pictures these are
  bool wants_picture = true;
};

struct Answer {
  std::string correlation;
  std::optional<std::string> error;  // the worker's; else the next ones count
  Buffer picture;                    // JPEG; empty: none was wanted
  std::string detections;            // a JSON array
  std::int64_t left_out = 0;         // detections that did not fit
};

// Sends pictures to be looked at, and takes the answers, in whatever order they come. Reads its reply topic
// from where it ended when this was made. Not thread-safe.
class Asker {
 public:
  // kNotFound: no worker has made the topics yet.
  static Result<std::unique_ptr<Asker>> open(Log& log, const Clock& clock, AskOptions options);

  // The correlation identifier of the answer to come. kTooLarge: the topic does not take such pictures.
  Result<std::string> send(Buffer file);
  // The next answer to something that was sent. nullopt: none has come in so long, or `stop` was requested.
  Result<std::optional<Answer>> receive(Duration patience, const StopToken& stop);

  std::size_t unanswered() const { return sent_.size(); }

 private:
  Asker(Log& log, const Clock& clock, AskOptions options)
      : log_(log), clock_(clock), options_(std::move(options)) {}
  std::optional<Answer> answer_in(const StoredRecord& stored);

  Log& log_;
  const Clock& clock_;
  const AskOptions options_;
  TopicInfo requests_;
  std::unique_ptr<LogWriter> writer_;
  std::unique_ptr<LogReader> reader_;
  std::map<std::string, bool> sent_;  // correlation identifiers without an answer
  std::vector<Answer> come_;
};

}  // namespace gopline::analyzer
