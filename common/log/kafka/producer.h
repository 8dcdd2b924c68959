#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "common/log/kafka/client.h"

namespace gopline::kafka {

// A record that librdkafka has and has not yet answered for. Keeps the value's bytes alive: they are handed
// over without a copy.
class InFlight {
 public:
  virtual ~InFlight() = default;
  // Once, from the producer's thread, in offset order per partition.
  virtual void delivered(Result<Offset> outcome) = 0;
};

// A record as it is handed over.
struct Outgoing {
  const std::string& topic;        // as stored
  const std::string& compression;  // the topic's own codec; "" or "producer": the client's
  PartitionId partition;
  const NewRecord& record;  // but for its value
  const Buffer* value;      // null: a tombstone. The InFlight keeps it
};

// One idempotent producer for all writers of a log (each has a thread for every broker, so there is one, not
// one for every stream), and the thread that answers for its records. Thread-safe.
class Producer {
 public:
  static constexpr std::uint64_t kDefaultBatchBytes = 1'000'000;  // librdkafka's own

  // Batches of small records stay below `batch_bytes`. With `compress` they are compressed, where neither the
  // topic nor the options' properties name a codec.
  static Result<std::shared_ptr<Producer>> create(const KafkaLogOptions& options,
                                                  std::uint64_t batch_bytes = kDefaultBatchBytes,
                                                  bool compress = false);
  // Whether a producer takes the options' properties; kInvalidArgument names the one that it does not.
  static Result<void> check(const KafkaLogOptions& options);
  ~Producer();  // gives up what is not acknowledged

  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  const std::shared_ptr<Client>& client() const { return client_; }

  // Takes the record, and `in_flight` until it is answered for. On error the caller still has it.
  // RD_KAFKA_RESP_ERR__QUEUE_FULL: later.
  rd_kafka_resp_err_t produce(const Outgoing& record, std::unique_ptr<InFlight>& in_flight);

  // Asks the cluster about a topic that has been produced to, of which the client may have heard before it
  // had all its partitions.
  void refresh(const std::string& topic);

  // An error after which this producer takes nothing more; a new one does.
  bool has_failed() const;

 private:
  Producer() = default;
  rd_kafka_topic_t* topic(const std::string& name, const std::string& compression);

  std::shared_ptr<Client> client_;
  std::mutex mutex_;
  std::map<std::string, TopicPtr> topics_;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace gopline::kafka
