#pragma once
#include <memory>
#include <string>

#include "bench/segments/path.h"
#include "common/log/kafka/kafka_log.h"

namespace gopline::bench {

// librdkafka alone, for what it costs to go through us: idempotent, acknowledged by all, nothing copied on
// the way out, each payload one record. Kafka's checksum is checked on the way in, so every byte is verified
// once there, too. One producer and one consumer for the whole run, as our log has them. Thread-safe but for
// its paths' readers, of which there is one at a time.
class RawClient {
 public:
  static Result<std::shared_ptr<RawClient>> create(const KafkaLogOptions& options);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // Over a topic that exists and has a partition for every stream. The client outlives the path.
  std::unique_ptr<Path> path(const std::string& topic, const Clock& clock,
                             std::shared_ptr<const PayloadSet> payloads, std::int32_t streams);

  std::string version() const;  // librdkafka's
  int brokers() const;          // in the cluster; 0 when it did not answer

 private:
  RawClient();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gopline::bench
