#include "common/log/kafka/kafka_reader.h"

#include <algorithm>

#include "common/base/logging.h"
#include "common/log/kafka/start_positions.h"

namespace gopline::kafka {
namespace {

using SteadyClock = std::chrono::steady_clock;

// How long a poll() that may not wait does wait for the first answer of a broker that is there: whether there
// are records is not known before.
constexpr auto kSettling = std::chrono::seconds(5);
constexpr auto kLongestWait = std::chrono::milliseconds(1000);
constexpr int kSeekMs = 5000;

int milliseconds_until(SteadyClock::time_point until) {
  auto left = std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now());
  return static_cast<int>(
      std::clamp<std::chrono::milliseconds>(left, std::chrono::milliseconds(0), kLongestWait).count());
}

}  // namespace

// The records of one poll() and the responses they lie in.
struct KafkaReader::Batch {
  std::vector<StoredRecord> records;
  std::vector<std::size_t> responses;
  std::size_t bytes = 0;
};

KafkaReader::KafkaReader(std::shared_ptr<Cluster> cluster, std::shared_ptr<ConsumerPool> pool,
                         LogReaderOptions options)
    : cluster_(std::move(cluster)),
      pool_(std::move(pool)),
      options_(std::move(options)),
      needs_{options_.max_poll_bytes, options_.verify_values} {}

KafkaReader::~KafkaReader() {
  if (!consumer_) return;
  carried_.reset();
  if (is_member_) leave();
  {
    std::lock_guard lock(wakeup_mutex_);
    queue_.reset();
  }
  if (options_.group.empty()) pool_->give_back(needs_, std::move(consumer_));
}

Result<void> KafkaReader::need_consumer() {
  if (consumer_) return {};
  if (options_.group.empty()) {
    GOPLINE_ASSIGN(consumer_, pool_->take(needs_));
  } else {
    GOPLINE_ASSIGN(consumer_, make_group_consumer());
  }
  std::lock_guard lock(wakeup_mutex_);
  queue_.reset(rd_kafka_queue_get_consumer(consumer_->handle()));
  return {};
}

Result<void> KafkaReader::assign(const std::vector<std::pair<TopicPartition, StartPosition>>& partitions) {
  GOPLINE_ASSIGN(auto starts, resolve(*cluster_, partitions));
  GOPLINE_TRY(need_consumer());
  if (std::exchange(is_member_, false)) rd_kafka_unsubscribe(consumer_->handle());
  assigned_.clear();
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    const auto& [where, start] = partitions[i];
    consumer_->learn(cluster_->stored_name(where.topic));
    assigned_[where] = {starts[i], false};
  }
  return assign_positions();
}

// Hands the positions to the consumer anew.
Result<void> KafkaReader::assign_positions() {
  carried_.reset();
  std::map<TopicPartition, Offset> offsets;
  for (auto& [where, progress] : assigned_) {
    offsets[where] = progress.next;
    progress.at_end = false;
  }
  auto error = rd_kafka_assign(consumer_->handle(), list_of(offsets).get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return fail_kafka(error, "assigning partitions");
  return {};
}

PartitionListPtr KafkaReader::list_of(const std::map<TopicPartition, Offset>& offsets) const {
  PartitionListPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const auto& [where, offset] : offsets) {
    auto* item = rd_kafka_topic_partition_list_add(list.get(), cluster_->stored_name(where.topic).c_str(),
                                                   where.partition.value);
    item->offset = offset.value;
  }
  return list;
}

std::vector<TopicPartition> KafkaReader::assignment() const {
  std::vector<TopicPartition> out;
  for (const auto& [where, progress] : assigned_) out.push_back(where);
  return out;
}

bool KafkaReader::is_at_end() const {
  return std::all_of(assigned_.begin(), assigned_.end(), [](const auto& item) { return item.second.at_end; });
}

Result<std::vector<StoredRecord>> KafkaReader::poll(Duration max_wait) {
  GOPLINE_TRY(check_membership());
  if (auto error = std::exchange(group_error_, std::nullopt)) return tl::unexpected<Error>(std::move(*error));
  if (!consumer_) return std::vector<StoredRecord>();
  auto began = SteadyClock::now();
  auto until = began + std::min<Duration>(max_wait, std::chrono::hours(24));
  auto settled = max_wait > Duration(0) ? until : began + kSettling;
  auto troubles = consumer_->connection().troubles();
  Batch batch;
  responses_.keep_newest();
  while (!woken_.exchange(false)) {
    bool may_wait = batch.records.empty();
    auto message = carried_ ? std::move(carried_)
                            : MessagePtr(rd_kafka_consumer_poll(consumer_->handle(),
                                                                may_wait ? milliseconds_until(until) : 0));
    if (message) {
      GOPLINE_TRY(take(std::move(message), batch));
      if (carried_) break;
      continue;
    }
    if (!may_wait) break;
    // A member's partitions are revoked by the group.
    if (consumer_->connection().take_missing_topic() && !is_member_) GOPLINE_TRY(forget_deleted_topics());
    if (SteadyClock::now() < until) continue;
    // Whether there is nothing is known only once the broker has said so.
    bool is_known =
        is_at_end() || SteadyClock::now() >= settled || troubles != consumer_->connection().troubles();
    if (is_known || group_error_) break;
    until = std::min(settled, SteadyClock::now() + std::chrono::milliseconds(20));
  }
  // A rebalance between two records may have taken a partition away: its records are somebody else's now.
  std::vector<StoredRecord> out;
  for (std::size_t i = 0; i < batch.records.size(); ++i) {
    auto& record = batch.records[i];
    if (!assigned_.contains(record.where)) continue;
    auto whole = responses_.bytes(batch.responses[i]);
    // The rest of the newest response is not polled yet, and is pinned all the same.
    if (carried_ && batch.responses[i] == batch.responses.back())
      whole = std::max(whole, needs_.max_poll_bytes);
    if (record.value && !record.value->empty()) record.pinned_bytes = std::max(record.value->size(), whole);
    out.push_back(std::move(record));
  }
  return out;
}

TopicPartition KafkaReader::where_of(const rd_kafka_message_t& message) const {
  std::string_view topic = message.rkt ? rd_kafka_topic_name(message.rkt) : "";
  const auto& prefix = cluster_->options().prefix;
  return {std::string(topic.substr(std::min(prefix.size(), topic.size()))), PartitionId(message.partition)};
}

Result<void> KafkaReader::take(MessagePtr message, Batch& batch) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) return take_error(*message, batch);
  auto found = assigned_.find(where_of(*message));
  if (found == assigned_.end() || message->offset < found->second.next.value) return {};
  auto size = message->len;
  if (!batch.records.empty() && batch.bytes + size > options_.max_poll_bytes) {
    carried_ = std::move(message);
    return {};
  }
  batch.bytes += size;
  found->second = {Offset(message->offset + 1), false};
  batch.responses.push_back(responses_.add(message->payload, size));
  batch.records.push_back(
      stored_record(consumer_, std::move(message), cluster_->options().prefix, !options_.headers_only));
  return {};
}

void KafkaReader::take_end(const TopicPartition& where, Offset end) {
  auto found = assigned_.find(where);
  if (found == assigned_.end() || end < found->second.next) return;
  found->second = {end, true};
}

Result<void> KafkaReader::take_error(const rd_kafka_message_t& message, Batch& batch) {
  auto where = where_of(message);
  auto text =
      fmt::format("{}, partition {}: {}", where.topic, where.partition, rd_kafka_message_errstr(&message));
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      take_end(where, Offset(message.offset));
      return {};
    case RD_KAFKA_RESP_ERR__BAD_MSG: {
      StoredRecord damaged;
      damaged.where = where;
      damaged.offset = Offset(message.offset);
      damaged.value = Buffer();
      damaged.damage = Error{ErrorCode::kCorrupt, text};
      batch.responses.push_back(responses_.add(nullptr, 0));
      batch.records.push_back(std::move(damaged));
      return {};
    }
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
      is_fenced_ = true;
      return tl::unexpected<Error>(fenced());
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      // A reader outside groups has no business with one.
      if (options_.group.empty()) return {};
      return fail_kafka(message.err, fmt::format("reading with group {}", options_.group));
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return fail_kafka(message.err, text);
    default:
      if (is_unknown_topic(message.err) && !is_member_) return forget_deleted_topics();
      log_debug(where.topic, "{}", text);
      return {};
  }
}

// Told once; the other partitions are read on.
Result<void> KafkaReader::forget_deleted_topics() {
  std::set<std::string> topics;
  for (const auto& [where, progress] : assigned_) topics.insert(where.topic);
  for (const auto& topic : topics) {
    auto described = cluster_->describe(topic);
    if (described || described.error().code != ErrorCode::kNotFound) continue;
    std::erase_if(assigned_, [&](const auto& item) { return item.first.topic == topic; });
    GOPLINE_TRY(assign_positions());
    return tl::unexpected<Error>(std::move(described.error()));
  }
  return {};
}

void KafkaReader::wakeup() {
  woken_ = true;
  std::lock_guard lock(wakeup_mutex_);
  if (queue_) rd_kafka_queue_yield(queue_.get());
}

Result<Offset> KafkaReader::position(const TopicPartition& where) {
  auto found = assigned_.find(where);
  if (found != assigned_.end()) return found->second.next;
  return fail(ErrorCode::kNotFound, "{}, partition {}, is not assigned to this reader", where.topic,
              where.partition);
}

Result<std::int64_t> KafkaReader::lag(const TopicPartition& where) {
  GOPLINE_ASSIGN(auto next, position(where));
  GOPLINE_ASSIGN(auto ends, cluster_->offsets_at({{where, Cluster::kLatest}}));
  return std::max<std::int64_t>(ends.front().value - next.value, 0);
}

Result<void> KafkaReader::seek(const TopicPartition& where, StartPosition position) {
  auto found = assigned_.find(where);
  if (found == assigned_.end()) return tl::unexpected<Error>(this->position(where).error());
  GOPLINE_ASSIGN(auto offsets, resolve(*cluster_, {{where, position}}));
  if (carried_ && where_of(*carried_) == where) carried_.reset();
  found->second = {offsets.front(), false};
  auto list = list_of({{where, offsets.front()}});
  ErrorPtr error(rd_kafka_seek_partitions(consumer_->handle(), list.get(), kSeekMs));
  if (!error && list->elems[0].err == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  // A partition that is only just starting cannot be moved.
  if (!is_member_) return assign_positions();
  auto code = error ? rd_kafka_error_code(error.get()) : list->elems[0].err;
  return fail_kafka(code, fmt::format("moving in {}, partition {}", where.topic, where.partition));
}

}  // namespace gopline::kafka
