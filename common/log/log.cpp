#include "common/log/log.h"

#include <future>

namespace gopline {

Result<Offset> LogWriter::append_and_wait(const TopicPartition& where, NewRecord record) {
  auto promise = std::make_shared<std::promise<Result<Offset>>>();
  auto future = promise->get_future();
  GOPLINE_TRY(append(where, std::move(record),
                     [promise](Result<Offset> result) { promise->set_value(std::move(result)); }));
  return future.get();
}

namespace {

// Kafka's murmur2 (org.apache.kafka.common.utils.Utils.murmur2), seed 0x9747b28c.
std::uint32_t murmur2(std::string_view key) {
  constexpr std::uint32_t kM = 0x5bd1e995;
  auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(static_cast<unsigned char>(key[at])); };
  auto hash = 0x9747b28cu ^ static_cast<std::uint32_t>(key.size());
  std::size_t at = 0;
  for (; at + 4 <= key.size(); at += 4) {
    std::uint32_t word = byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24;
    word *= kM;
    word ^= word >> 24;
    word *= kM;
    hash = hash * kM ^ word;
  }
  auto rest = key.size() - at;
  if (rest == 3) hash ^= byte(at + 2) << 16;
  if (rest >= 2) hash ^= byte(at + 1) << 8;
  if (rest >= 1) {
    hash ^= byte(at);
    hash *= kM;
  }
  hash ^= hash >> 13;
  hash *= kM;
  return hash ^ hash >> 15;
}

}  // namespace

void leave_shared_block(StoredRecord& record) {
  constexpr std::size_t kSmall = 1 << 20;
  if (!record.value) return;
  auto size = record.value->size();
  if (size >= kSmall || record.pinned_bytes <= 4 * size) return;
  record.value = Buffer::copy(record.value->bytes());
  record.pinned_bytes = size;
}

PartitionId partition_for_key(std::string_view key, std::int32_t partitions) {
  auto positive = static_cast<std::int32_t>(murmur2(key) & 0x7fffffff);
  return PartitionId(positive % partitions);
}

}  // namespace gopline
