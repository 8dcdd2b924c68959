#include "common/log/kafka/producer.h"

#include <array>

namespace gopline::kafka {
namespace {

constexpr int kPollMs = 100;
constexpr int kRefreshMs = 1000;

using Rule = Setting::Rule;

std::vector<Setting> settings(std::uint64_t batch_bytes, bool compress) {
  return {
      {"client.id", "gopline"},
      // What is acknowledged is on every replica in sync, once, in order, through any retry.
      {"enable.idempotence", "true", Rule::kFixed},
      {"acks", "all", Rule::kFixed},
      // Nothing is given up while the program runs: a log that is away holds its writers back. Who would
      // rather have an error sets it.
      {"message.timeout.ms", "0"},
      // A segment is large enough to leave alone; the budget in bytes is the writer's.
      {"linger.ms", "0"},
      {"batch.size", std::to_string(batch_bytes)},
      {"queue.buffering.max.messages", "0"},
      {"queue.buffering.max.kbytes", "2147483647"},
      // The cluster's limits are the topics', which are read from it.
      {"message.max.bytes", "1000000000"},
      {"compression.codec", compress ? "zstd" : "none"},
      {"reconnect.backoff.max.ms", "2000"},
      {"socket.keepalive.enable", "true"},
      {"socket.nagle.disable", "true"},
      {"topic.metadata.propagation.max.ms", "10000"},
  };
}

}  // namespace

Result<std::shared_ptr<Producer>> Producer::create(const KafkaLogOptions& options, std::uint64_t batch_bytes,
                                                   bool compress) {
  std::shared_ptr<Producer> producer(new Producer);
  ClientCallbacks callbacks;
  callbacks.on_delivery = [self = producer.get()](const rd_kafka_message_t& message) {
    std::unique_ptr<InFlight> in_flight(static_cast<InFlight*>(message._private));
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) return in_flight->delivered(Offset(message.offset));
    auto where =
        fmt::format("writing to {}, partition {}", rd_kafka_topic_name(message.rkt), message.partition);
    // A producer that has failed for good throws away what it still has; why it failed is what counts.
    auto error = message.err;
    auto fatal = rd_kafka_fatal_error(self->client_->handle(), nullptr, 0);
    if (code_of(error) == ErrorCode::kCancelled && fatal != RD_KAFKA_RESP_ERR_NO_ERROR && !self->ending_) {
      error = fatal;
    }
    in_flight->delivered(fail_kafka(error, where));
  };
  GOPLINE_ASSIGN(producer->client_, Client::create(RD_KAFKA_PRODUCER, options,
                                                   settings(batch_bytes, compress), std::move(callbacks)));
  producer->thread_ = std::thread([self = producer.get()] {
    auto* handle = self->client_->handle();
    while (!self->ending_ || rd_kafka_outq_len(handle) > 0) rd_kafka_poll(handle, kPollMs);
  });
  return producer;
}

Result<void> Producer::check(const KafkaLogOptions& options) {
  return Client::check(options, settings(kDefaultBatchBytes, false));
}

Producer::~Producer() {
  ending_ = true;
  if (client_) rd_kafka_purge(client_->handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  if (thread_.joinable()) thread_.join();
}

rd_kafka_topic_t* Producer::topic(const std::string& name, const std::string& compression) {
  std::lock_guard lock(mutex_);
  auto& found = topics_[name];
  if (!found) {
    TopicConfPtr conf(rd_kafka_default_topic_conf_dup(client_->handle()));
    std::array<char, 128> why{};
    // Compressed as the topic wants it, or the broker would do it over again. What it wants and we lack, the
    // broker does. This holds only if the client has not had the topic's handle before.
    if (!compression.empty() && compression != "producer") {
      auto codec = compression == "uncompressed" ? std::string("none") : compression;
      rd_kafka_topic_conf_set(conf.get(), "compression.codec", codec.c_str(), why.data(), why.size());
    }
    found.reset(rd_kafka_topic_new(client_->handle(), name.c_str(), conf.release()));
  }
  return found.get();
}

rd_kafka_resp_err_t Producer::produce(const Outgoing& outgoing, std::unique_ptr<InFlight>& in_flight) {
  static constexpr char kEmpty[] = "";  // null pointers mean null keys and values
  const auto& record = outgoing.record;
  HeadersPtr headers(rd_kafka_headers_new(record.headers.size()));
  for (const auto& header : record.headers) {
    rd_kafka_header_add(headers.get(), header.name.data(), static_cast<ssize_t>(header.name.size()),
                        header.value.data(), static_cast<ssize_t>(header.value.size()));
  }
  const void* value = nullptr;
  std::size_t size = 0;
  if (outgoing.value) {
    size = outgoing.value->size();
    value = size > 0 ? static_cast<const void*>(outgoing.value->data()) : kEmpty;
  }
  const char* key = record.key.empty() ? kEmpty : record.key.data();
  auto milliseconds =
      std::chrono::floor<std::chrono::milliseconds>(record.timestamp).time_since_epoch().count();

  std::array<rd_kafka_vu_t, 8> fields{};
  fields[0].vtype = RD_KAFKA_VTYPE_RKT;
  fields[0].u.rkt = topic(outgoing.topic, outgoing.compression);
  fields[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  fields[1].u.i32 = outgoing.partition.value;
  fields[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  fields[2].u.i = 0;  // neither copied nor freed by librdkafka
  fields[3].vtype = RD_KAFKA_VTYPE_VALUE;
  fields[3].u.mem.ptr = const_cast<void*>(value);
  fields[3].u.mem.size = size;
  fields[4].vtype = RD_KAFKA_VTYPE_KEY;
  fields[4].u.mem.ptr = const_cast<char*>(key);
  fields[4].u.mem.size = record.key.size();
  fields[5].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  fields[5].u.i64 = milliseconds;
  fields[6].vtype = RD_KAFKA_VTYPE_HEADERS;
  fields[6].u.headers = headers.get();
  fields[7].vtype = RD_KAFKA_VTYPE_OPAQUE;
  fields[7].u.ptr = in_flight.get();

  // The answer may come before the call returns.
  auto* handed_over = in_flight.release();
  ErrorPtr error(rd_kafka_produceva(client_->handle(), fields.data(), fields.size()));
  if (!error) {
    (void)headers.release();
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  in_flight.reset(handed_over);
  return rd_kafka_error_code(error.get());
}

void Producer::refresh(const std::string& name) {
  const rd_kafka_metadata_t* metadata = nullptr;
  if (rd_kafka_metadata(client_->handle(), 0, topic(name, ""), &metadata, kRefreshMs) ==
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_metadata_destroy(metadata);
  }
}

bool Producer::has_failed() const {
  return rd_kafka_fatal_error(client_->handle(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace gopline::kafka
