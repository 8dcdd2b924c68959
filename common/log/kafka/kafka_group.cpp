#include <algorithm>

#include "common/base/logging.h"
#include "common/base/uuid.h"
#include "common/log/kafka/kafka_reader.h"
#include "common/log/kafka/start_positions.h"

// The part of a reader that is a member of a group: cooperative rebalances, commits.
namespace gopline::kafka {
namespace {

constexpr auto kLongestLeave = std::chrono::seconds(3);

std::string milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

Result<std::shared_ptr<Client>> KafkaReader::make_group_consumer() {
  using Rule = Setting::Rule;
  auto settings = consumer_settings(needs_);
  settings.push_back({"group.id", cluster_->stored_name(options_.group), Rule::kFixed});
  settings.push_back({"partition.assignment.strategy", "cooperative-sticky", Rule::kFixed});
  settings.push_back({"session.timeout.ms", milliseconds(options_.session_timeout)});
  settings.push_back({"heartbeat.interval.ms", milliseconds(options_.session_timeout / 4)});
  // A member is alive as long as it polls: one that hangs loses its partitions like one that died.
  settings.push_back({"max.poll.interval.ms", milliseconds(options_.session_timeout)});
  if (!options_.member_id.empty())
    settings.push_back({"group.instance.id", options_.member_id, Rule::kFixed});
  ClientCallbacks callbacks;
  callbacks.on_rebalance = [this](auto error, auto* partitions) { on_rebalance(error, partitions); };
  GOPLINE_ASSIGN(auto consumer,
                 Client::create(RD_KAFKA_CONSUMER, cluster_->options(), settings, std::move(callbacks)));
  rd_kafka_poll_set_consumer(consumer->handle());
  return consumer;
}

Result<void> KafkaReader::subscribe(const std::vector<std::string>& topics, StartPosition first_start) {
  if (options_.group.empty()) {
    return fail(ErrorCode::kInvalidArgument, "subscribing takes a group: LogReaderOptions::group");
  }
  for (const auto& topic : topics) GOPLINE_TRY(cluster_->describe(topic));
  GOPLINE_TRY(need_consumer());
  if (!is_member_) rd_kafka_assign(consumer_->handle(), nullptr);
  assigned_.clear();
  carried_.reset();
  is_member_ = true;
  first_start_ = first_start;
  PartitionListPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
  for (const auto& topic : topics) {
    rd_kafka_topic_partition_list_add(list.get(), cluster_->stored_name(topic).c_str(),
                                      RD_KAFKA_PARTITION_UA);
  }
  auto error = rd_kafka_subscribe(consumer_->handle(), list.get());
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return fail_kafka(error, fmt::format("joining group {}", options_.group));
}

void KafkaReader::on_rebalance(rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* list) {
  std::vector<TopicPartition> partitions;
  auto prefix = cluster_->options().prefix.size();
  for (int i = 0; i < list->cnt; ++i) {
    partitions.push_back({list->elems[i].topic + prefix, PartitionId(list->elems[i].partition)});
  }
  if (is_leaving_ && error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    ErrorPtr not_ours_any_more(rd_kafka_incremental_assign(consumer_->handle(), list));
    return;
  }
  if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) return gain(partitions);
  if (error == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) return lose(partitions);
  log_warning(options_.group, "rebalance: {}", rd_kafka_err2str(error));
  lose(assignment());
}

void KafkaReader::gain(const std::vector<TopicPartition>& partitions) {
  auto starts = starts_of(partitions);
  if (!starts) {
    // Without a start nothing can be read; the next poll() says why, and another round of the group tries
    // again.
    group_error_ = starts.error();
    starts = std::map<TopicPartition, Offset>();
  }
  ErrorPtr failed(rd_kafka_incremental_assign(consumer_->handle(), list_of(*starts).get()));
  if (failed) {
    group_error_ = error_of(rd_kafka_error_code(failed.get()), rd_kafka_error_string(failed.get()));
    return;
  }
  for (const auto& [where, offset] : *starts) assigned_[where] = {offset, false};
  if (options_.on_assigned && !is_leaving_ && !starts->empty()) options_.on_assigned(partitions);
}

// The group's committed offsets, and where there is none, where readers of it start.
Result<std::map<TopicPartition, Offset>> KafkaReader::starts_of(
    const std::vector<TopicPartition>& partitions) {
  GOPLINE_ASSIGN(auto starts, committed_of(partitions));
  std::vector<std::pair<TopicPartition, StartPosition>> fresh;
  for (const auto& where : partitions) {
    auto found = starts.find(where);
    fresh.push_back({where, found == starts.end() ? first_start_ : StartPosition::at(found->second)});
  }
  GOPLINE_ASSIGN(auto offsets, resolve(*cluster_, fresh));
  for (std::size_t i = 0; i < fresh.size(); ++i) starts[fresh[i].first] = offsets[i];
  return starts;
}

void KafkaReader::lose(const std::vector<TopicPartition>& partitions) {
  bool is_lost = rd_kafka_assignment_lost(consumer_->handle()) != 0;
  // Lost: somebody else may read them already, and nothing can be committed. Revoked: the last chance.
  if (is_lost) {
    for (const auto& where : partitions) assigned_.erase(where);
  }
  if (options_.on_revoked && !is_leaving_ && !partitions.empty()) options_.on_revoked(partitions);
  std::map<TopicPartition, Offset> gone;
  for (const auto& where : partitions) {
    assigned_.erase(where);
    gone[where] = Offset(0);
  }
  if (carried_ && gone.contains(where_of(*carried_))) carried_.reset();
  ErrorPtr failed(rd_kafka_incremental_unassign(consumer_->handle(), list_of(gone).get()));
  if (failed) log_debug(options_.group, "unassigning: {}", rd_kafka_error_string(failed.get()));
}

Error KafkaReader::fenced() const {
  return {ErrorCode::kConflict,
          fmt::format("group {}: another reader has joined as member '{}': this one is out", options_.group,
                      options_.member_id)};
}

Result<void> KafkaReader::check_membership() {
  if (consumer_ && rd_kafka_fatal_error(consumer_->handle(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    is_fenced_ = true;
  }
  if (is_fenced_) return tl::unexpected<Error>(fenced());
  return {};
}

Result<void> KafkaReader::commit(const TopicPartition& where, Offset next) {
  if (options_.group.empty()) return fail(ErrorCode::kInvalidArgument, "committing takes a group");
  GOPLINE_TRY(check_membership());
  GOPLINE_TRY(check_partition(*cluster_, where));
  if (is_member_ && !assigned_.contains(where)) {
    return fail(ErrorCode::kConflict, "group {}: {}, partition {}, is another member's", options_.group,
                where.topic, where.partition);
  }
  GOPLINE_TRY(need_consumer());
  QueuePtr queue(rd_kafka_queue_new(consumer_->handle()));
  auto list = list_of({{where, next}});
  auto what = fmt::format("committing for group {}", options_.group);
  auto error = rd_kafka_commit_queue(consumer_->handle(), list.get(), queue.get(), nullptr, nullptr);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    GOPLINE_ASSIGN(auto event, consumer_->wait_for(queue.get(), what));
    error = rd_kafka_event_error(event.get());
    const auto* answered = rd_kafka_event_topic_partition_list(event.get());
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && answered && answered->cnt > 0) error = answered->elems[0].err;
  }
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  if (error == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) is_fenced_ = true;
  GOPLINE_TRY(check_membership());
  return fail_kafka(error, what);
}

Result<void> KafkaReader::publish_and_commit(const std::vector<RecordToPublish>& records,
                                             const std::map<TopicPartition, Offset>& next) {
  if (options_.group.empty()) return fail(ErrorCode::kInvalidArgument, "committing takes a group");
  GOPLINE_TRY(check_membership());
  for (const auto& [where, offset] : next) {
    GOPLINE_TRY(check_partition(*cluster_, where));
    if (is_member_ && !assigned_.contains(where)) {
      return fail(ErrorCode::kConflict, "group {}: {}, partition {}, is another member's", options_.group,
                  where.topic, where.partition);
    }
  }
  for (const auto& record : records) GOPLINE_TRY(check_partition(*cluster_, record.where));
  GOPLINE_TRY(need_consumer());
  if (!transactions_ || transactions_->has_failed()) {
    transactions_.reset();
    // Who comes back under the same name ends at once what it had begun before it died.
    auto member = options_.member_id.empty() ? random_uuid() : options_.member_id;
    auto id = fmt::format("{}-{}", cluster_->stored_name(options_.group), member);
    GOPLINE_ASSIGN(transactions_, Transactions::start(cluster_->options(), id));
  }
  auto offsets = next.empty() ? PartitionListPtr() : list_of(next);
  return transactions_->write(*cluster_, records, consumer_->handle(), offsets.get());
}

Result<std::map<TopicPartition, Offset>> KafkaReader::committed_of(
    const std::vector<TopicPartition>& partitions) {
  std::map<TopicPartition, Offset> wanted, out;
  for (const auto& where : partitions) wanted[where] = Offset(RD_KAFKA_OFFSET_INVALID);
  auto list = list_of(wanted);
  GOPLINE_TRY(consumer_->ask(
      fmt::format("asking what group {} has committed", options_.group),
      [&](int timeout_ms) { return rd_kafka_committed(consumer_->handle(), list.get(), timeout_ms); }));
  auto prefix = cluster_->options().prefix.size();
  for (int i = 0; i < list->cnt; ++i) {
    const auto& item = list->elems[i];
    if (item.err != RD_KAFKA_RESP_ERR_NO_ERROR) return fail_kafka(item.err, item.topic);
    if (item.offset >= 0) out[{item.topic + prefix, PartitionId(item.partition)}] = Offset(item.offset);
  }
  return out;
}

Result<std::optional<Offset>> KafkaReader::committed(const TopicPartition& where) {
  if (options_.group.empty()) return fail(ErrorCode::kInvalidArgument, "what is committed is a group's");
  GOPLINE_TRY(check_partition(*cluster_, where));
  GOPLINE_TRY(need_consumer());
  GOPLINE_ASSIGN(auto found, committed_of({where}));
  if (found.empty()) return std::nullopt;
  return found.begin()->second;
}

// Says goodbye to the group, unless it cannot be reached.
void KafkaReader::leave() {
  is_leaving_ = true;
  QueuePtr queue(rd_kafka_queue_get_consumer(consumer_->handle()));
  ErrorPtr failed(rd_kafka_consumer_close_queue(consumer_->handle(), queue.get()));
  auto until = std::chrono::steady_clock::now() + kLongestLeave;
  while (!failed && !rd_kafka_consumer_closed(consumer_->handle()) &&
         std::chrono::steady_clock::now() < until) {
    MessagePtr dropped(rd_kafka_consumer_poll(consumer_->handle(), 10));
  }
}

}  // namespace gopline::kafka
