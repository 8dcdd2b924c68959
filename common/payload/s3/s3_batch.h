#pragma once
#include <deque>
#include <memory>
#include <vector>

#include "common/payload/s3/retry.h"
#include "common/payload/s3/s3_client.h"

namespace gopline::payload {

// The requests of one call on their way: at most so many at once, each with its own retries, until all have
// an answer, one is refused, or the call is stopped.
class Batch {
 public:
  Batch(S3Client& client, HttpLane& lane, const std::vector<S3Request>& requests);
  ~Batch() { lane_.abandon(); }
  Result<std::vector<S3Answer>> run(const StopToken& stop);

 private:
  struct Task {
    const S3Request* request = nullptr;
    RetrySchedule retry;
    SteadyTime due{};
    bool asked_again_in_time = false;  // after the server's clock was taken over
    bool running = false, done = false;
    HttpRequest http;
    S3Answer answer;
  };

  Result<void> start_due();
  Duration until_due() const;
  // False when the batch is over: `failure_` says why, or an answer is a refusal.
  bool take(HttpOutcome outcome);
  void judge(const Task& task, HttpOutcome& outcome, S3Answer& answer) const;
  bool try_again(Task& task, Prospect prospect, const S3Answer& answer);
  Error exhausted(const Task& task, const HttpOutcome& outcome, const S3Answer& answer) const;

  S3Client& client_;
  HttpLane& lane_;
  std::deque<Task> tasks_;  // their addresses stay
  std::size_t done_ = 0;
  std::optional<Error> failure_;
};

}  // namespace gopline::payload
