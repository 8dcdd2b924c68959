#include "analyzer/requests/ask.h"

#include <algorithm>
#include <utility>

#include "analyzer/requests/request.h"
#include "common/base/text.h"
#include "common/base/uuid.h"

namespace gopline::analyzer {
namespace {

constexpr Duration kBetweenStops = std::chrono::milliseconds(200);

Result<TopicInfo> known_topic(Log& log, const std::string& name) {
  auto info = log.describe_topic(name);
  if (!info && info.error().code == ErrorCode::kNotFound)
    return fail(ErrorCode::kNotFound,
                "{} has no topic '{}': `gopline analyze --requests` makes one, and answers", log.describe(),
                name);
  return info;
}

std::string text_header(const StoredRecord& stored, const char* name) {
  return std::string(find_header(stored.headers, name).value_or(""));
}

}  // namespace

Result<std::unique_ptr<Asker>> Asker::open(Log& log, const Clock& clock, AskOptions options) {
  std::unique_ptr<Asker> asker(new Asker(log, clock, std::move(options)));
  GOPLINE_ASSIGN(asker->requests_, known_topic(log, asker->options_.topic));
  GOPLINE_ASSIGN(auto replies, known_topic(log, asker->options_.reply_topic));
  GOPLINE_ASSIGN(asker->writer_, log.make_writer({}));
  GOPLINE_ASSIGN(asker->reader_, log.make_reader({}));
  std::vector<std::pair<TopicPartition, StartPosition>> from;
  for (std::int32_t i = 0; i < replies.partitions; ++i) {
    TopicPartition where{replies.name, PartitionId(i)};
    // The number: by when a reader finds out where the end is, the answer may be before it.
    GOPLINE_ASSIGN(auto kept, log.offsets(where));
    from.emplace_back(where, StartPosition::at(kept.end));
  }
  GOPLINE_TRY(asker->reader_->assign(from));
  return asker;
}

Result<std::string> Asker::send(Buffer file) {
  auto correlation = random_uuid();
  NewRecord record;
  record.key = options_.subject;
  record.timestamp = clock_.now();
  record.headers = {{kReplyTo, options_.reply_topic}, {kCorrelationId, correlation}};
  if (!options_.wants_picture) record.headers.push_back({kAccept, "application/json"});
  record.value = BufferChain(std::move(file));
  TopicPartition where{requests_.name, partition_for_key(correlation, requests_.partitions)};
  GOPLINE_TRY(writer_->append_and_wait(where, std::move(record)));
  sent_.emplace(correlation, true);
  return correlation;
}

Result<std::optional<Answer>> Asker::receive(Duration patience, const StopToken& stop) {
  auto until = clock_.steady_now() + patience;
  while (come_.empty()) {
    auto now = clock_.steady_now();
    if (stop.stop_requested() || now >= until) return std::nullopt;
    auto left = std::chrono::ceil<Duration>(until - now);
    GOPLINE_ASSIGN(auto records, reader_->poll(std::min<Duration>(left, kBetweenStops)));
    for (const auto& record : records) {
      if (auto answer = answer_in(record)) come_.push_back(std::move(*answer));
    }
  }
  auto answer = std::move(come_.front());
  come_.erase(come_.begin());
  return answer;
}

std::optional<Answer> Asker::answer_in(const StoredRecord& stored) {
  auto correlation = text_header(stored, kCorrelationId);
  auto found = sent_.find(correlation);
  if (found == sent_.end()) return std::nullopt;  // somebody else's
  sent_.erase(found);
  Answer answer;
  answer.correlation = correlation;
  if (text_header(stored, kStatus) != "done") {
    answer.error = text_header(stored, kError);
    return answer;
  }
  auto value = stored.value.value_or(Buffer());
  bool is_words = text_header(stored, "content-type") == "application/json";
  answer.detections = is_words ? std::string(value.text()) : text_header(stored, kDetections);
  if (!is_words) answer.picture = std::move(value);
  auto left_out = parse_int64(text_header(stored, "detections-left-out"));
  answer.left_out = left_out ? *left_out : 0;
  return answer;
}

}  // namespace gopline::analyzer
