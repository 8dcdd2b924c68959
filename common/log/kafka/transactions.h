#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/log/atomic_publish.h"
#include "common/log/kafka/client.h"
#include "common/log/kafka/cluster.h"

namespace gopline::kafka {

// The producer of one reader's transactions: records and the offsets of the reader's group in one (KIP-98,
// KIP-447). Who has lost a partition is fenced off by the group's generation, so ids need not be the same
// after a restart. What was left open by one that died is aborted when one with the same id comes, else by
// the broker (transaction.timeout.ms); until then who reads committed records waits there. Not thread-safe.
class Transactions {
 public:
  static Result<std::unique_ptr<Transactions>> start(const KafkaLogOptions& options, const std::string& id);

  // `offsets`: with the topics' stored names; null: none. After an error all of it is gone. kConflict: the
  // group has gone on without this member.
  Result<void> write(Cluster& cluster, const std::vector<RecordToPublish>& records, rd_kafka_t* consumer,
                     const rd_kafka_topic_partition_list_t* offsets);
  // An error after which only another one helps.
  bool has_failed() const { return has_failed_; }

 private:
  explicit Transactions(std::shared_ptr<Client> client) : client_(std::move(client)) {}
  Result<void> step(std::string_view what, const std::function<rd_kafka_error_t*(int)>& call);
  Result<void> fill(Cluster& cluster, const std::vector<RecordToPublish>& records, rd_kafka_t* consumer,
                    const rd_kafka_topic_partition_list_t* offsets);
  Result<void> produce(const std::string& topic, const RecordToPublish& record);
  void abort();

  std::shared_ptr<Client> client_;
  bool has_failed_ = false;
};

}  // namespace gopline::kafka
