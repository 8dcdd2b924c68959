#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "common/log/atomic_publish.h"
#include "common/log/kafka/cluster.h"
#include "common/log/kafka/consumer_pool.h"
#include "common/log/kafka/fetched.h"
#include "common/log/kafka/transactions.h"

namespace gopline::kafka {

// Reads partitions through one consumer: an idle one of the pool's for a reader outside groups, one of its
// own for a member. Values are slices of fetched responses. What it has not polled yet is bounded by
// LogReaderOptions::max_poll_bytes; what its caller holds is told by StoredRecord::pinned_bytes.
class KafkaReader final : public LogReader, public AtomicPublisher {
 public:
  KafkaReader(std::shared_ptr<Cluster> cluster, std::shared_ptr<ConsumerPool> pool, LogReaderOptions options);
  ~KafkaReader() override;

  Result<void> assign(const std::vector<std::pair<TopicPartition, StartPosition>>& partitions) override;
  Result<void> subscribe(const std::vector<std::string>& topics, StartPosition first_start) override;
  std::vector<TopicPartition> assignment() const override;
  Result<std::vector<StoredRecord>> poll(Duration max_wait) override;
  void wakeup() override;
  Result<Offset> position(const TopicPartition& where) override;
  Result<std::int64_t> lag(const TopicPartition& where) override;
  Result<void> seek(const TopicPartition& where, StartPosition position) override;
  Result<void> commit(const TopicPartition& where, Offset next) override;
  Result<std::optional<Offset>> committed(const TopicPartition& where) override;
  Result<void> publish_and_commit(const std::vector<RecordToPublish>& records,
                                  const std::map<TopicPartition, Offset>& next) override;

 private:
  struct Progress {
    Offset next;
    bool at_end = false;  // as the broker said, and nothing has come since
  };
  struct Batch;

  // kafka_reader.cpp
  Result<void> need_consumer();
  Result<void> assign_positions();
  Result<void> take(MessagePtr message, Batch& batch);
  Result<void> take_error(const rd_kafka_message_t& message, Batch& batch);
  Result<void> forget_deleted_topics();
  Result<void> check_membership();
  void take_end(const TopicPartition& where, Offset end);
  bool is_at_end() const;
  TopicPartition where_of(const rd_kafka_message_t& message) const;
  PartitionListPtr list_of(const std::map<TopicPartition, Offset>& offsets) const;

  // kafka_group.cpp
  Result<std::shared_ptr<Client>> make_group_consumer();
  void on_rebalance(rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions);
  void gain(const std::vector<TopicPartition>& partitions);
  Result<std::map<TopicPartition, Offset>> starts_of(const std::vector<TopicPartition>& partitions);
  void lose(const std::vector<TopicPartition>& partitions);
  Result<std::map<TopicPartition, Offset>> committed_of(const std::vector<TopicPartition>& partitions);
  Error fenced() const;
  void leave();

  std::shared_ptr<Cluster> cluster_;
  std::shared_ptr<ConsumerPool> pool_;
  const LogReaderOptions options_;
  const FetchNeeds needs_;
  std::shared_ptr<Client> consumer_;
  std::unique_ptr<Transactions> transactions_;  // once there was one
  bool is_member_ = false;
  bool is_leaving_ = false;
  bool is_fenced_ = false;
  StartPosition first_start_;
  std::optional<Error> group_error_;  // of a rebalance; the next poll() tells it

  std::map<TopicPartition, Progress> assigned_;
  MessagePtr carried_;  // has been fetched and did not fit into the last poll()
  ResponseSizes responses_;

  std::atomic<bool> woken_ = false;
  std::mutex wakeup_mutex_;
  QueuePtr queue_;  // under wakeup_mutex_
};

}  // namespace gopline::kafka
