#include "bench/segments/raw_client.h"

#include <array>
#include <atomic>
#include <cstring>
#include <thread>

#include "common/log/kafka/client.h"
#include "common/log/kafka/kafka_error.h"

namespace gopline::bench {
namespace {

using kafka::Client;
using kafka::MessagePtr;

constexpr std::size_t kBudget = 32 << 20;  // unacknowledged bytes of a stream, as a Publisher's
constexpr int kPollMs = 100;
constexpr int kMetadataMs = 10'000;
constexpr auto kFullPause = std::chrono::microseconds(200);
constexpr const char* kMarkHeader = "mark";

// Our own writers' settings but for what theirs do not need.
std::vector<kafka::Setting> producer_settings() {
  return {{"client.id", "gopline-bench"},
          {"enable.idempotence", "true"},
          {"acks", "all"},
          {"message.timeout.ms", "0"},
          {"linger.ms", "0"},
          {"queue.buffering.max.messages", "0"},
          {"message.max.bytes", "1000000000"},
          {"queue.buffering.max.kbytes", "2147483647"}};
}

std::vector<kafka::Setting> consumer_settings() {
  return {{"client.id", "gopline-bench"},
          {"group.id", "gopline-bench"},  // librdkafka wants one; nothing is committed
          {"enable.auto.commit", "false"},
          {"enable.auto.offset.store", "false"},
          {"auto.offset.reset", "earliest"},
          {"check.crcs", "true"},
          {"fetch.message.max.bytes", "8388608"},
          {"fetch.queue.backoff.ms", "10"},
          {"log_level", "3"}};  // it warns of what an assignment throws away
}

// What is unacknowledged of one stream. Records in flight point at it; the producer is flushed before it
// goes.
struct Ledger {
  std::atomic<std::int64_t> acknowledged = 0;
  std::atomic<std::size_t> pending_bytes = 0;
  std::atomic<int> error = RD_KAFKA_RESP_ERR_NO_ERROR;
};

void count_delivery(const rd_kafka_message_t& message) {
  auto* ledger = static_cast<Ledger*>(message._private);
  if (!ledger) return;
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) ledger->error = message.err;
  ++ledger->acknowledged;
  ledger->pending_bytes -= message.len;  // last: at zero the ledger may go
}

}  // namespace

struct RawClient::State {
  std::shared_ptr<Client> producer, consumer;
  std::atomic<bool> ending = false;
  std::thread poller;
};

namespace {

class ProducingSide final : public WriteSide {
 public:
  ProducingSide(rd_kafka_t* producer, rd_kafka_topic_t* topic, std::shared_ptr<const PayloadSet> payloads,
                Mark first)
      : producer_(producer), topic_(topic), payloads_(std::move(payloads)), mark_(first) {}
  ~ProducingSide() override {
    // Whatever became of the run: nothing may point at the ledger any more.
    if (ledger_.pending_bytes > 0) {
      rd_kafka_purge(producer_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
      while (ledger_.pending_bytes > 0) std::this_thread::sleep_for(kFullPause);
    }
  }

  Result<void> send(StopToken stop) override {
    const auto& bytes = payloads_->plain(mark_.sequence);
    while (ledger_.pending_bytes > 0 && ledger_.pending_bytes + bytes.size() > kBudget) {
      GOPLINE_TRY(usable());
      if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "stopped while writing");
      std::this_thread::sleep_for(kFullPause);
    }
    ledger_.pending_bytes += bytes.size();
    if (auto error = produce(bytes); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      ledger_.pending_bytes -= bytes.size();
      return kafka::fail_kafka(error, "writing with the bare client");
    }
    ++mark_.sequence;
    return {};
  }

  Result<std::int64_t> acknowledged() const override {
    GOPLINE_TRY(usable());
    return ledger_.acknowledged.load();
  }
  Result<void> finish() override { return usable(); }

 private:
  rd_kafka_resp_err_t produce(const Buffer& bytes) {
    static constexpr std::string_view kKey = "bench";
    std::array<rd_kafka_vu_t, 7> fields{};
    fields[0].vtype = RD_KAFKA_VTYPE_RKT;
    fields[0].u.rkt = topic_;
    fields[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    fields[1].u.i32 = mark_.stream;
    fields[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    fields[2].u.i = 0;  // neither copied nor freed by librdkafka
    fields[3].vtype = RD_KAFKA_VTYPE_VALUE;
    fields[3].u.mem.ptr = const_cast<std::uint8_t*>(bytes.data());
    fields[3].u.mem.size = bytes.size();
    fields[4].vtype = RD_KAFKA_VTYPE_KEY;
    fields[4].u.mem.ptr = const_cast<char*>(kKey.data());
    fields[4].u.mem.size = kKey.size();
    fields[5].vtype = RD_KAFKA_VTYPE_HEADER;
    fields[5].u.header.name = kMarkHeader;
    fields[5].u.header.val = &mark_;
    fields[5].u.header.size = sizeof mark_;
    fields[6].vtype = RD_KAFKA_VTYPE_OPAQUE;
    fields[6].u.ptr = &ledger_;
    kafka::ErrorPtr error(rd_kafka_produceva(producer_, fields.data(), fields.size()));
    return error ? rd_kafka_error_code(error.get()) : RD_KAFKA_RESP_ERR_NO_ERROR;
  }

  Result<void> usable() const {
    auto error = static_cast<rd_kafka_resp_err_t>(ledger_.error.load());
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return kafka::fail_kafka(error, "writing with the bare client");
  }

  rd_kafka_t* producer_;
  rd_kafka_topic_t* topic_;
  std::shared_ptr<const PayloadSet> payloads_;
  Mark mark_;
  Ledger ledger_;
};

class ConsumingSide final : public ReadSide {
 public:
  ConsumingSide(rd_kafka_t* consumer, const Clock& clock, std::shared_ptr<const PayloadSet> payloads,
                std::int32_t streams, std::uint64_t run)
      : consumer_(consumer),
        clock_(clock),
        payloads_(std::move(payloads)),
        run_(run),
        next_(static_cast<std::size_t>(streams)) {}
  ~ConsumingSide() override { rd_kafka_assign(consumer_, nullptr); }

  Result<std::vector<Arrival>> poll(Duration max_wait) override {
    std::vector<Arrival> out;
    auto wait = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(max_wait).count());
    while (MessagePtr message{rd_kafka_consumer_poll(consumer_, out.empty() ? wait : 0)}) {
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka::fail_kafka(message->err, "reading with the bare client");
      }
      GOPLINE_TRY(take(*message, out));
    }
    return out;
  }

 private:
  Result<void> take(const rd_kafka_message_t& message, std::vector<Arrival>& out) {
    Mark mark;
    if (!read_mark(message, mark)) return fail(ErrorCode::kCorrupt, "a record without a mark came back");
    if (mark.run != run_) return {};  // an earlier phase's
    auto& sequence = next_[static_cast<std::size_t>(message.partition)];
    std::span bytes(static_cast<const std::uint8_t*>(message.payload), message.len);
    if (mark != Mark{run_, message.partition, sequence} || !payloads_->is_plain(bytes, sequence)) {
      return fail(ErrorCode::kCorrupt, "partition {}: payload {} is not the one that was sent",
                  message.partition, sequence);
    }
    out.push_back({message.partition, sequence, message.len, clock_.steady_now()});
    ++sequence;
    return {};
  }

  static bool read_mark(const rd_kafka_message_t& message, Mark& mark) {
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
    const void* value = nullptr;
    std::size_t size = 0;
    if (rd_kafka_header_get_last(headers, kMarkHeader, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return false;
    }
    if (size != sizeof mark) return false;
    std::memcpy(&mark, value, size);
    return true;
  }

  rd_kafka_t* consumer_;
  const Clock& clock_;
  std::shared_ptr<const PayloadSet> payloads_;
  std::uint64_t run_;
  std::vector<std::int64_t> next_;
};

class RawPath final : public Path {
 public:
  RawPath(const Client& producer, const Client& consumer, std::string topic, const Clock& clock,
          std::shared_ptr<const PayloadSet> payloads, std::int32_t streams)
      : producer_(producer),
        consumer_(consumer),
        name_(std::move(topic)),
        topic_(rd_kafka_topic_new(producer.handle(), name_.c_str(), nullptr)),
        clock_(clock),
        payloads_(std::move(payloads)),
        streams_(streams) {}

  Result<std::unique_ptr<WriteSide>> open_writer(std::int32_t stream, std::uint64_t run) override {
    GOPLINE_TRY(learn(producer_, topic_.get()));
    return std::make_unique<ProducingSide>(producer_.handle(), topic_.get(), payloads_, Mark{run, stream, 0});
  }

  Result<std::unique_ptr<ReadSide>> open_reader(From from, std::uint64_t run) override {
    auto* client = consumer_.handle();
    kafka::TopicPtr topic(rd_kafka_topic_new(client, name_.c_str(), nullptr));
    GOPLINE_TRY(learn(consumer_, topic.get()));
    kafka::PartitionListPtr list(rd_kafka_topic_partition_list_new(streams_));
    for (std::int32_t i = 0; i < streams_; ++i) {
      std::int64_t begin = 0, end = 0;
      if (from == From::kEnd) {
        GOPLINE_TRY(consumer_.ask("asking for the end", [&](int timeout_ms) {
          return rd_kafka_query_watermark_offsets(client, name_.c_str(), i, &begin, &end, timeout_ms);
        }));
      }
      rd_kafka_topic_partition_list_add(list.get(), name_.c_str(), i)->offset = end;
    }
    auto error = rd_kafka_assign(client, list.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka::fail_kafka(error, "assigning partitions");
    return std::make_unique<ConsumingSide>(client, clock_, payloads_, streams_, run);
  }

 private:
  // Left to itself a client asks for a topic that is new to it once a second.
  Result<void> learn(const Client& client, rd_kafka_topic_t* topic) const {
    auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kMetadataMs);
    for (;;) {
      const rd_kafka_metadata_t* metadata = nullptr;
      auto error = rd_kafka_metadata(client.handle(), 0, topic, &metadata, kMetadataMs);
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka::fail_kafka(error, "asking for topic " + name_);
      bool is_known = metadata->topic_cnt == 1 && metadata->topics[0].partition_cnt >= streams_;
      rd_kafka_metadata_destroy(metadata);
      if (is_known) return {};
      if (std::chrono::steady_clock::now() > until) {
        return fail(ErrorCode::kUnavailable, "topic {} does not get its partitions", name_);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  const Client& producer_;
  const Client& consumer_;
  std::string name_;
  kafka::TopicPtr topic_;
  const Clock& clock_;
  std::shared_ptr<const PayloadSet> payloads_;
  std::int32_t streams_;
};

}  // namespace

RawClient::RawClient() : state_(std::make_unique<State>()) {}

Result<std::shared_ptr<RawClient>> RawClient::create(const KafkaLogOptions& options) {
  std::shared_ptr<RawClient> client(new RawClient);
  auto& state = *client->state_;
  kafka::ClientCallbacks callbacks;
  callbacks.on_delivery = count_delivery;
  GOPLINE_ASSIGN(state.producer, Client::create(RD_KAFKA_PRODUCER, options, producer_settings(), callbacks));
  GOPLINE_ASSIGN(state.consumer, Client::create(RD_KAFKA_CONSUMER, options, consumer_settings()));
  rd_kafka_poll_set_consumer(state.consumer->handle());
  state.poller = std::thread([&state] {
    while (!state.ending || rd_kafka_outq_len(state.producer->handle()) > 0) {
      rd_kafka_poll(state.producer->handle(), kPollMs);
    }
  });
  return client;
}

RawClient::~RawClient() {
  if (!state_->poller.joinable()) return;
  state_->ending = true;
  rd_kafka_purge(state_->producer->handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  state_->poller.join();
}

std::unique_ptr<Path> RawClient::path(const std::string& topic, const Clock& clock,
                                      std::shared_ptr<const PayloadSet> payloads, std::int32_t streams) {
  return std::make_unique<RawPath>(*state_->producer, *state_->consumer, topic, clock, std::move(payloads),
                                   streams);
}

std::string RawClient::version() const {
  return rd_kafka_version_str();
}

int RawClient::brokers() const {
  const rd_kafka_metadata_t* metadata = nullptr;
  if (rd_kafka_metadata(state_->producer->handle(), 0, nullptr, &metadata, kMetadataMs) !=
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    return 0;
  }
  int count = metadata->broker_cnt;
  rd_kafka_metadata_destroy(metadata);
  return count;
}

}  // namespace gopline::bench
