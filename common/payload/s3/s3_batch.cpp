#include "common/payload/s3/s3_batch.h"

#include <algorithm>

#include "common/base/text.h"

namespace gopline::payload {
namespace {

constexpr Duration kLongest = std::chrono::minutes(1);    // a wait without anything to wait for
constexpr Duration kWrongTime = std::chrono::minutes(5);  // from which on servers refuse signatures
constexpr int kBeyondEnd = 416;

Prospect prospect_after(HttpEnd end) {
  switch (end) {
    case HttpEnd::kBroken:
      return Prospect::kPatience;
    case HttpEnd::kDamaged:
      return Prospect::kFewTries;
    default:
      return Prospect::kNone;
  }
}

std::optional<Duration> retry_after(const HttpResponse& response) {
  auto wished = parse_int64(response.header("retry-after"));
  if (!wished || *wished < 0 || *wished > 86400) return std::nullopt;
  return std::chrono::seconds(*wished);
}

// "bytes 0-99/1000"
struct ContentRange {
  std::uint64_t first = 0, last = 0;
  std::optional<std::uint64_t> total;
};
std::optional<ContentRange> parse_content_range(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  auto dash = text.find('-'), slash = text.find('/');
  if (!text.starts_with(kUnit) || dash == std::string_view::npos || slash == std::string_view::npos ||
      slash < dash) {
    return std::nullopt;
  }
  auto first = parse_int64(text.substr(kUnit.size(), dash - kUnit.size()));
  auto last = parse_int64(text.substr(dash + 1, slash - dash - 1));
  auto total = parse_int64(text.substr(slash + 1));
  if (!first || !last || *first < 0 || *last < *first) return std::nullopt;
  ContentRange range{static_cast<std::uint64_t>(*first), static_cast<std::uint64_t>(*last), std::nullopt};
  if (total && *total >= 0) range.total = static_cast<std::uint64_t>(*total);
  return range;
}

// Holds an answer to the range that was asked for. One that is the blob's end, and short of it, becomes a
// 416.
void check_range(const ByteRange& range, HttpOutcome& outcome) {
  auto& response = outcome.response;
  auto end = range.offset + range.size;
  if (response.status == 200 && range.offset == 0) {  // all of it, from a server that knows no ranges
    if (response.received < range.size) response.status = kBeyondEnd;
    return;
  }
  auto got = parse_content_range(response.header("content-range"));
  if (response.status == 206 && got && got->total && *got->total < end) {
    response.status = kBeyondEnd;
  } else if (response.status != 206 || !got || got->first != range.offset || got->last != end - 1 ||
             response.received != range.size) {
    outcome.end = HttpEnd::kDamaged;
    outcome.problem = fmt::format("{} bytes from {} were asked for; it answers {} with {} bytes, '{}'",
                                  range.size, range.offset, response.status, response.received,
                                  response.header("content-range").substr(0, 60));
  }
}

// A late error becomes the status that it would have had in time.
void check_late_error(HttpOutcome& outcome) {
  auto& response = outcome.response;
  if (auto error = parse_error(response.text)) {
    bool busy = prospect_of(0, error->code) == Prospect::kPatience;
    response.status = busy ? 503 : error->code == "PreconditionFailed" ? 412 : 400;
  } else if (response.text.find("</") == std::string::npos) {
    outcome.end = HttpEnd::kBroken;  // AWS sends spaces while it works: it ended before the end
    outcome.problem = "the answer ends before its end";
  }
}

}  // namespace

Batch::Batch(S3Client& client, HttpLane& lane, const std::vector<S3Request>& requests)
    : client_(client), lane_(lane) {
  for (const auto& request : requests) {
    auto patience = request.one_try ? Duration(0) : client.settings_.patience;
    auto& task = tasks_.emplace_back(
        Task{&request, RetrySchedule(patience, client.random_), {}, false, false, false, {}, {}});
    task.due = client.clock_->steady_now();
  }
}

Result<std::vector<S3Answer>> Batch::run(const StopToken& stop) {
  std::stop_callback wake(stop, [this] { lane_.wake(); });
  while (done_ < tasks_.size()) {
    if (stop.stop_requested()) {
      return fail(ErrorCode::kCancelled, "{}: stopped", client_.uri_of(tasks_.front().request->object));
    }
    GOPLINE_TRY(start_due());
    bool go_on = true;
    for (auto& outcome : lane_.wait(until_due())) go_on = go_on && take(std::move(outcome));
    if (!go_on) break;
  }
  if (failure_) return tl::unexpected<Error>(std::move(*failure_));
  std::vector<S3Answer> answers;
  for (auto& task : tasks_) answers.push_back(std::move(task.answer));
  return answers;
}

Result<void> Batch::start_due() {
  auto now = client_.clock_->steady_now();
  for (std::size_t slot = 0; slot < tasks_.size() && lane_.running() < client_.settings_.parallel; ++slot) {
    auto& task = tasks_[slot];
    if (task.done || task.running || task.due > now) continue;
    task.http = client_.signed_request(*task.request);
    task.running = true;
    GOPLINE_TRY(lane_.start(slot, task.http));
  }
  return {};
}

Duration Batch::until_due() const {
  auto now = client_.clock_->steady_now();
  auto wait = kLongest;
  if (lane_.running() >= client_.settings_.parallel) return wait;
  for (const auto& task : tasks_) {
    if (task.done || task.running) continue;
    auto left = std::chrono::ceil<std::chrono::milliseconds>(task.due - now);
    wait = std::min(wait, std::max(Duration(0), std::chrono::duration_cast<Duration>(left)));
  }
  return wait;
}

void Batch::judge(const Task& task, HttpOutcome& outcome, S3Answer& answer) const {
  if (outcome.end == HttpEnd::kAnswered && outcome.response.status / 100 == 2) {
    if (task.request->range) check_range(*task.request->range, outcome);
    if (task.request->fails_late) check_late_error(outcome);
  }
  if (outcome.end != HttpEnd::kAnswered) return;
  if (outcome.response.status / 100 != 2) {
    answer.error = parse_error(outcome.response.text).value_or(S3ErrorDocument{});
  }
  answer.http = std::move(outcome.response);
}

bool Batch::take(HttpOutcome outcome) {
  auto& task = tasks_[outcome.slot];
  task.running = false;
  S3Answer answer;
  judge(task, outcome, answer);
  answer.tries = task.retry.tries();
  bool answered = outcome.end == HttpEnd::kAnswered;
  if (answered && !answer.ok()) {
    bool wrong_time = answer.error.code == "RequestTimeTooSkewed" ||
                      (answer.http.status == 403 && answer.error.code.empty());  // a HEAD has no words
    if (wrong_time && !task.asked_again_in_time && client_.take_server_time(answer.http)) {
      task.asked_again_in_time = true;
      return true;
    }
  }
  auto prospect = answered ? prospect_of(answer.http.status, answer.error.code) : prospect_after(outcome.end);
  if (answered && prospect == Prospect::kNone) {
    task.done = true;
    ++done_;
    bool ok = answer.ok();
    task.answer = std::move(answer);
    return ok;
  }
  if (try_again(task, prospect, answer)) return true;
  failure_ = exhausted(task, outcome, answer);
  return false;
}

bool Batch::try_again(Task& task, Prospect prospect, const S3Answer& answer) {
  auto now = client_.clock_->steady_now();
  auto wait = task.retry.after_failure(now, prospect, retry_after(answer.http));
  if (!wait) return false;
  task.due = now + *wait;
  return true;
}

Error Batch::exhausted(const Task& task, const HttpOutcome& outcome, const S3Answer& answer) const {
  auto uri = client_.uri_of(task.request->object);
  auto error = outcome.end == HttpEnd::kAnswered ? error_of(client_.settings_, uri, answer)
                                                 : error_of(client_.settings_, uri, outcome);
  if (task.retry.failures() > 1) {
    error.message += fmt::format(" ({} tries in {})", task.retry.failures(),
                                 format_duration(task.retry.tried_for(client_.clock_->steady_now())));
  }
  return error;
}

bool S3Client::take_server_time(const HttpResponse& response) {
  auto server = parse_http_date(response.header("date"));
  if (!server) return false;
  auto off = *server - now();
  if (off < kWrongTime && -off < kWrongTime) return false;
  ahead_ = (*server - clock_->now()).count();
  return true;
}

}  // namespace gopline::payload
