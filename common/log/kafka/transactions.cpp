#include "common/log/kafka/transactions.h"

#include <array>
#include <chrono>

#include "common/base/logging.h"
#include "common/log/kafka/kafka_error.h"

namespace gopline::kafka {
namespace {

constexpr int kTurnMs = 1000;
constexpr auto kLongestAbort = std::chrono::seconds(5);

using Rule = Setting::Rule;
using SteadyClock = std::chrono::steady_clock;

std::vector<Setting> settings(const std::string& id) {
  return {
      {"client.id", "gopline"},
      {"transactional.id", id, Rule::kFixed},
      {"enable.idempotence", "true", Rule::kFixed},
      {"acks", "all", Rule::kFixed},
      {"linger.ms", "0"},
      // What a dead one left open holds readers up for so long.
      {"transaction.timeout.ms", "10000"},
      {"message.timeout.ms", "10000"},
      {"message.max.bytes", "1000000000"},
      {"compression.codec", "zstd"},
      {"reconnect.backoff.max.ms", "2000"},
      {"socket.keepalive.enable", "true"},
      {"socket.nagle.disable", "true"},
  };
}

struct MetadataDestroyer {
  void operator()(rd_kafka_consumer_group_metadata_t* p) const {
    rd_kafka_consumer_group_metadata_destroy(p);
  }
};
using GroupMetadataPtr = std::unique_ptr<rd_kafka_consumer_group_metadata_t, MetadataDestroyer>;

}  // namespace

Result<std::unique_ptr<Transactions>> Transactions::start(const KafkaLogOptions& options,
                                                          const std::string& id) {
  GOPLINE_ASSIGN(auto client, Client::create(RD_KAFKA_PRODUCER, options, settings(id)));
  std::unique_ptr<Transactions> transactions(new Transactions(std::move(client)));
  GOPLINE_TRY(transactions->step("beginning with transactions", [&](int timeout_ms) {
    return rd_kafka_init_transactions(transactions->client_->handle(), timeout_ms);
  }));
  return transactions;
}

// In turns, for what is only slow; librdkafka goes on where the call before left off.
Result<void> Transactions::step(std::string_view what, const std::function<rd_kafka_error_t*(int)>& call) {
  const auto& options = client_->options();
  auto until = SteadyClock::now() + options.patience;
  for (;;) {
    ErrorPtr failed(call(kTurnMs));
    if (!failed) return {};
    auto code = rd_kafka_error_code(failed.get());
    if (rd_kafka_error_is_fatal(failed.get())) has_failed_ = true;
    bool again = rd_kafka_error_is_retriable(failed.get()) && !has_failed_;
    if (again && !options.stop.stop_requested() && SteadyClock::now() < until) continue;
    // Whatever it was, nothing of the transaction is there.
    auto error = error_of(code, fmt::format("{}: {}", what, rd_kafka_error_string(failed.get())));
    if (code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED) error.code = ErrorCode::kConflict;
    return tl::unexpected<Error>(std::move(error));
  }
}

Result<void> Transactions::write(Cluster& cluster, const std::vector<RecordToPublish>& records,
                                 rd_kafka_t* consumer, const rd_kafka_topic_partition_list_t* offsets) {
  auto* handle = client_->handle();
  GOPLINE_TRY(step("a transaction", [&](int) { return rd_kafka_begin_transaction(handle); }));
  auto filled = fill(cluster, records, consumer, offsets);
  if (filled) {
    filled = step("committing a transaction",
                  [&](int timeout_ms) { return rd_kafka_commit_transaction(handle, timeout_ms); });
  }
  if (!filled) abort();
  return filled;
}

Result<void> Transactions::fill(Cluster& cluster, const std::vector<RecordToPublish>& records,
                                rd_kafka_t* consumer, const rd_kafka_topic_partition_list_t* offsets) {
  for (const auto& record : records) GOPLINE_TRY(produce(cluster.stored_name(record.where.topic), record));
  if (!offsets) return {};
  GroupMetadataPtr group(rd_kafka_consumer_group_metadata(consumer));
  if (!group) return fail(ErrorCode::kInvalidArgument, "a transaction's offsets need a group");
  return step("a transaction's offsets", [&](int timeout_ms) {
    return rd_kafka_send_offsets_to_transaction(client_->handle(), offsets, group.get(), timeout_ms);
  });
}

Result<void> Transactions::produce(const std::string& topic, const RecordToPublish& to_publish) {
  static constexpr char kEmpty[] = "";  // null pointers mean null keys and values
  const auto& record = to_publish.record;
  HeadersPtr headers(rd_kafka_headers_new(record.headers.size()));
  for (const auto& header : record.headers) {
    rd_kafka_header_add(headers.get(), header.name.data(), static_cast<ssize_t>(header.name.size()),
                        header.value.data(), static_cast<ssize_t>(header.value.size()));
  }
  Buffer value = record.value ? record.value->flatten() : Buffer();
  const void* bytes = !record.value   ? nullptr
                      : value.empty() ? kEmpty
                                      : static_cast<const void*>(value.data());
  std::array<rd_kafka_vu_t, 7> fields{};
  fields[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  fields[0].u.cstr = topic.c_str();
  fields[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  fields[1].u.i32 = to_publish.where.partition.value;
  fields[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  fields[2].u.i = RD_KAFKA_MSG_F_COPY;  // events are small
  fields[3].vtype = RD_KAFKA_VTYPE_VALUE;
  fields[3].u.mem.ptr = const_cast<void*>(bytes);
  fields[3].u.mem.size = value.size();
  fields[4].vtype = RD_KAFKA_VTYPE_KEY;
  fields[4].u.mem.ptr = const_cast<char*>(record.key.empty() ? kEmpty : record.key.data());
  fields[4].u.mem.size = record.key.size();
  fields[5].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  fields[5].u.i64 =
      std::chrono::floor<std::chrono::milliseconds>(record.timestamp).time_since_epoch().count();
  fields[6].vtype = RD_KAFKA_VTYPE_HEADERS;
  fields[6].u.headers = headers.get();
  auto until = SteadyClock::now() + client_->options().patience;
  for (;;) {
    ErrorPtr failed(rd_kafka_produceva(client_->handle(), fields.data(), fields.size()));
    if (!failed) {
      (void)headers.release();
      return {};
    }
    auto code = rd_kafka_error_code(failed.get());
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || SteadyClock::now() >= until)
      return fail_kafka(code, fmt::format("writing to {} in a transaction", topic));
    rd_kafka_poll(client_->handle(), kTurnMs / 10);
  }
}

// What cannot be aborted now the broker aborts by itself, and this producer is not used any more.
void Transactions::abort() {
  auto until = SteadyClock::now() + kLongestAbort;
  for (;;) {
    ErrorPtr failed(rd_kafka_abort_transaction(client_->handle(), kTurnMs));
    if (!failed) return;
    if (rd_kafka_error_is_retriable(failed.get()) && SteadyClock::now() < until) continue;
    has_failed_ = true;
    log_debug(describe_cluster(client_->options()), "aborting a transaction: {}",
              rd_kafka_error_string(failed.get()));
    return;
  }
}

}  // namespace gopline::kafka
