#include "analyzer/requests/answer_requests.h"

#include <map>
#include <utility>

#include "analyzer/requests/answer.h"
#include "common/base/logging.h"
#include "common/log/atomic_publish.h"
#include "common/reading/group_member.h"

namespace gopline::analyzer {
namespace {

constexpr std::int64_t kMostRequestAttempts = 3;
constexpr std::size_t kMostKnownTopics = 1000;
constexpr std::size_t kRequestPollBytes = 4 << 20;

// What all partitions of a worker share.
struct Counter {
  Log& log;
  const Clock& clock;
  const RequestOptions& options;
  StopToken stop;
  StillLook& look;
  AnswerWriter& writer;
  RequestReport& report;
  std::unique_ptr<LogWriter> plain_writer = {};  // where the log cannot write answer and offset as one
  std::map<std::string, TopicInfo> reply_topics = {};
};

// Answers the requests of one partition, one by one.
class PartitionOfRequests final : public reading::PartitionWork {
 public:
  PartitionOfRequests(Counter& counter, TopicPartition where, LogReader& group)
      : counter_(counter), where_(std::move(where)), group_(group) {}

  Result<void> take(StoredRecord stored, SteadyTime) override {
    auto offset = stored.offset;
    if (is_lost_ || (rewound_to_ && offset > *rewound_to_)) return {};
    rewound_to_.reset();
    auto answered = answer(stored);
    if (answered || counter_.stop.stop_requested()) return answered;
    switch (answered.error().code) {
      case ErrorCode::kConflict:  // another worker has the partition, and answers
        is_lost_ = true;
        log_warning(where_.topic, "partition {}: {}", where_.partition, answered.error().message);
        return {};
      case ErrorCode::kUnavailable:
        log_warning(where_.topic, "partition {}: {}; goes on from offset {}", where_.partition,
                    answered.error().message, offset);
        rewound_to_ = offset;
        return group_.seek(where_, StartPosition::at(offset));
      default:
        return answered;
    }
  }

  Result<void> tick(SteadyTime) override { return {}; }
  void finish(bool) override {}  // what was answered is committed
  bool is_behind() const override { return rewound_to_.has_value(); }

 private:
  Result<void> answer(const StoredRecord& stored) {
    auto request = read_request(stored);
    auto topic = reply_topic_of(request);
    if (!topic) {
      if (topic.error().code == ErrorCode::kUnavailable) return tl::unexpected<Error>(topic.error());
      ++counter_.report.unanswerable;
      log_warning(where_.topic, "the request at {}/{} is not answered: {}", where_.partition, stored.offset,
                  topic.error().message);
      return group_.commit(where_, stored.offset.next());
    }
    RequestPlace place{where_, stored.offset};
    bool is_done = true;
    auto record = look_and_draw(stored, request, place, *topic);
    if (!record) {
      if (counter_.stop.stop_requested()) return tl::unexpected<Error>(record.error());
      is_done = false;
      log_warning(where_.topic, "the request at {}/{} fails: {}", where_.partition, stored.offset,
                  record.error().message);
      record = counter_.writer.failed(request, place, record.error(), counter_.clock.now());
    }
    GOPLINE_TRY(write({partition_of(request, *topic), std::move(*record)}, stored.offset.next()));
    ++(is_done ? counter_.report.answered : counter_.report.failed);
    return {};
  }

  Result<TopicInfo> reply_topic_of(const PictureRequest& request) {
    if (request.is_answer) return fail(ErrorCode::kInvalidArgument, "it is an answer itself");
    if (request.reply_topic.empty())
      return fail(ErrorCode::kInvalidArgument, "it has no header '{}' that says where to", kReplyTo);
    GOPLINE_TRY(
        check_reply_topic(request.reply_topic, counter_.options.reply_topics, counter_.options.never));
    auto& known = counter_.reply_topics;
    if (auto found = known.find(request.reply_topic); found != known.end()) return found->second;
    GOPLINE_ASSIGN(auto info, counter_.log.describe_topic(request.reply_topic));
    if (known.size() >= kMostKnownTopics) known.clear();
    return known.emplace(request.reply_topic, info).first->second;
  }

  Result<NewRecord> look_and_draw(const StoredRecord& stored, const PictureRequest& request,
                                  const RequestPlace& place, const TopicInfo& topic) {
    if (stored.damage) return tl::unexpected<Error>(*stored.damage);
    auto file = stored.value.value_or(Buffer());
    for (std::int64_t attempts = 1;; ++attempts) {
      auto seen = counter_.look.look(file, request.subject, stored.offset.value, stored.timestamp);
      if (seen)
        return counter_.writer.done(request, place, *seen, topic.max_record_bytes, counter_.clock.now());
      // The picture's fault is the same each time.
      bool is_analyzers = seen.error().code == ErrorCode::kInternal;
      if (!is_analyzers || attempts == kMostRequestAttempts || counter_.stop.stop_requested())
        return tl::unexpected<Error>(std::move(seen.error()));
      ++counter_.report.repeated;
    }
  }

  static TopicPartition partition_of(const PictureRequest& request, const TopicInfo& topic) {
    if (auto asked = request.reply_partition; asked && *asked >= 0 && *asked < topic.partitions)
      return {topic.name, PartitionId(*asked)};
    auto key = request.correlation.empty() ? request.subject : request.correlation.front().value;
    return {topic.name, partition_for_key(key, topic.partitions)};
  }

  Result<void> write(RecordToPublish answer, Offset next) {
    if (counter_.report.exactly_once) {
      auto published = publish_and_commit(group_, {answer}, {{where_, next}});
      if (published || published.error().code != ErrorCode::kUnsupported) return published;
      counter_.report.exactly_once = false;
      log_warning(
          where_.topic,
          "answers and offsets cannot be written as one here ({}): after a crash an answer may be there "
          "twice, with the same id",
          published.error().message);
    }
    if (!counter_.plain_writer) {
      GOPLINE_ASSIGN(counter_.plain_writer, counter_.log.make_writer({}));
    }
    GOPLINE_TRY(counter_.plain_writer->append_and_wait(answer.where, std::move(answer.record)));
    return group_.commit(where_, next);
  }

  Counter& counter_;
  const TopicPartition where_;
  LogReader& group_;
  std::optional<Offset> rewound_to_;  // what comes behind it has been read ahead of what comes again
  bool is_lost_ = false;
};

Result<void> make_topics(Log& log, const RequestOptions& options) {
  Retention retention;
  retention.age = options.retention;
  for (const auto& name : {options.topic, options.reply_topic})
    GOPLINE_TRY(log.ensure_topic({name, options.partitions, retention, false}));
  return {};
}

}  // namespace

Result<RequestReport> answer_requests(Log& log, const Clock& clock, const AnalyzerKind& kind,
                                      const RequestOptions& options, const std::function<void()>& on_ready,
                                      const StopToken& stop) {
  GOPLINE_ASSIGN(auto look, StillLook::open(kind));
  GOPLINE_ASSIGN(auto writer, AnswerWriter::open(kind.identity()));
  GOPLINE_TRY(make_topics(log, options));
  RequestReport report;
  Counter counter{log, clock, options, stop, *look, *writer, report};
  reading::GroupMemberOptions membership;
  membership.topic = options.topic;
  membership.group = options.group;
  membership.member_id = options.member_id;
  membership.first_start = options.first_start;
  membership.until_end = options.until_end;
  membership.poll_bytes = kRequestPollBytes;
  membership.session_timeout = options.session_timeout;
  auto make_work = [&](const TopicPartition& where, LogReader& group) {
    return std::make_unique<PartitionOfRequests>(counter, where, group);
  };
  GOPLINE_ASSIGN(auto member, reading::GroupMember::join(log, clock, membership, make_work));
  if (on_ready) on_ready();
  GOPLINE_TRY(member->run(stop));
  report.interrupted = stop.stop_requested();
  return report;
}

}  // namespace gopline::analyzer
