#include "common/log/kafka/consumer_pool.h"

#include <algorithm>

namespace gopline::kafka {
namespace {

using Rule = Setting::Rule;

// What one response brings of one partition: enough that round trips do not count, and no more, since whoever
// holds a record of it holds all of it.
constexpr std::size_t kLargestPiece = 2 << 20;
constexpr std::size_t kSmallestPiece = 4 << 10;
constexpr std::size_t kSmallestResponse = 1'000'000;  // librdkafka raises it to its message.max.bytes

}  // namespace

std::vector<Setting> consumer_settings(const FetchNeeds& needs) {
  auto piece = std::clamp(needs.max_poll_bytes / 4, kSmallestPiece, kLargestPiece);
  auto response = std::max(needs.max_poll_bytes, kSmallestResponse);
  return {
      {"client.id", "gopline"},
      {"enable.auto.commit", "false", Rule::kFixed},
      {"enable.auto.offset.store", "false", Rule::kFixed},
      {"enable.partition.eof", "true", Rule::kFixed},
      {"allow.auto.create.topics", "false", Rule::kFixed},
      // A position that retention has overtaken means the oldest kept.
      {"auto.offset.reset", "earliest", Rule::kFixed},
      {"isolation.level", "read_committed"},
      {"check.crcs", needs.check_crcs ? "true" : "false"},
      // A record larger than these comes all the same, alone.
      {"fetch.message.max.bytes", std::to_string(piece)},
      {"fetch.max.bytes", std::to_string(response)},
      {"receive.message.max.bytes", "2000000000"},
      // What waits to be polled is bounded: twice what one poll() takes, so that the next is on its way. A
      // full queue is looked at again after 10 ms; librdkafka's own second makes readers of large records
      // wait.
      {"queued.max.messages.kbytes",
       std::to_string(std::max<std::size_t>(2 * needs.max_poll_bytes / 1024, 1))},
      {"queued.min.messages", "100000"},
      {"fetch.queue.backoff.ms", "10"},
      // An idle request is in the way of the next reader of the same consumer for as long as it waits.
      {"fetch.wait.max.ms", "50"},
      {"fetch.error.backoff.ms", "100"},
      {"reconnect.backoff.max.ms", "2000"},
      {"socket.keepalive.enable", "true"},
      {"socket.nagle.disable", "true"},
      {"topic.metadata.refresh.interval.ms", "10000"},
      {"topic.metadata.propagation.max.ms", "5000"},
  };
}

Result<void> ConsumerPool::check(const KafkaLogOptions& options) {
  return Client::check(options, consumer_settings({}));
}

Result<std::shared_ptr<Client>> ConsumerPool::take(const FetchNeeds& needs) {
  {
    std::lock_guard lock(mutex_);
    if (auto& idle = idle_[needs]; !idle.empty()) {
      auto consumer = std::move(idle.back());
      idle.pop_back();
      return consumer;
    }
  }
  auto settings = consumer_settings(needs);
  // assign() wants one; nothing is ever committed under this name.
  settings.push_back({"group.id", "gopline.reader"});
  GOPLINE_ASSIGN(auto consumer, Client::create(RD_KAFKA_CONSUMER, options_, settings));
  rd_kafka_poll_set_consumer(consumer->handle());
  return consumer;
}

void ConsumerPool::give_back(const FetchNeeds& needs, std::shared_ptr<Client> consumer) {
  rd_kafka_assign(consumer->handle(), nullptr);
  std::lock_guard lock(mutex_);
  if (auto& idle = idle_[needs]; idle.size() < kMostIdle) idle.push_back(std::move(consumer));
}

}  // namespace gopline::kafka
