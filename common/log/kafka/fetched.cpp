#include "common/log/kafka/fetched.h"

namespace gopline::kafka {
namespace {

// What may lie between two values of one response: a record's key and headers, a partition's frame.
constexpr std::uintptr_t kLargestFrame = 64 << 10;

// Destroyed in this order: librdkafka wants its messages back before the client ends.
struct Held {
  std::shared_ptr<Client> consumer;
  MessagePtr message;
};

Headers headers_of(const rd_kafka_message_t* message) {
  Headers out;
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return out;
  out.reserve(rd_kafka_header_cnt(headers));
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    out.push_back({name, std::string(static_cast<const char*>(value), size)});
  }
  return out;
}

}  // namespace

StoredRecord stored_record(std::shared_ptr<Client> consumer, MessagePtr message, std::string_view prefix,
                           bool with_value) {
  StoredRecord out;
  std::string_view topic = rd_kafka_topic_name(message->rkt);
  out.where = {std::string(topic.substr(prefix.size())), PartitionId(message->partition)};
  out.offset = Offset(message->offset);
  rd_kafka_timestamp_type_t type{};
  out.timestamp = Timestamp(std::chrono::milliseconds(rd_kafka_message_timestamp(message.get(), &type)));
  if (message->key) out.key.assign(static_cast<const char*>(message->key), message->key_len);
  out.headers = headers_of(message.get());
  if (!message->payload) return out;
  if (!with_value || message->len == 0) {
    out.value = Buffer();
    return out;
  }
  std::span bytes(static_cast<const std::uint8_t*>(message->payload), message->len);
  out.pinned_bytes = bytes.size();
  out.value = Buffer(std::make_shared<Held>(Held{std::move(consumer), std::move(message)}), bytes);
  return out;
}

std::size_t ResponseSizes::add(const void* value, std::size_t size) {
  auto begin = reinterpret_cast<std::uintptr_t>(value);
  bool goes_on = !sizes_.empty() && begin >= end_ && begin - end_ <= kLargestFrame;
  if (!goes_on) {
    sizes_.push_back(0);
    begin_ = begin;
  }
  end_ = begin + size;
  sizes_.back() = end_ - begin_;
  return first_ + sizes_.size() - 1;
}

void ResponseSizes::keep_newest() {
  if (sizes_.empty()) return;
  first_ += sizes_.size() - 1;
  sizes_ = {sizes_.back()};
}

}  // namespace gopline::kafka
