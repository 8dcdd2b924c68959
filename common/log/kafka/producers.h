#pragma once
#include <map>
#include <memory>
#include <mutex>

#include "common/log/kafka/producer.h"

namespace gopline::kafka {

// The producers of one log: one for all topics that take batches of librdkafka's usual size, others for
// topics with lower limits and for what is to be compressed (a producer has one codec for a topic), and a new
// one in the place of one that has failed for good. Thread-safe.
class Producers {
 public:
  explicit Producers(KafkaLogOptions options) : options_(std::move(options)) {}

  // The producer for a topic whose records may have `max_record_bytes`.
  Result<std::shared_ptr<Producer>> producer_for(std::uint64_t max_record_bytes, bool compress) {
    std::lock_guard lock(mutex_);
    auto batch_bytes = std::min(Producer::kDefaultBatchBytes, max_record_bytes);
    auto& producer = by_kind_[{batch_bytes, compress}];
    if (!producer || producer->has_failed()) {
      GOPLINE_ASSIGN(auto made, Producer::create(options_, batch_bytes, compress));
      if (producer) retired_.push_back(std::move(producer));
      producer = std::move(made);
    }
    return producer;
  }

 private:
  const KafkaLogOptions options_;
  std::mutex mutex_;
  std::map<std::pair<std::uint64_t, bool>, std::shared_ptr<Producer>> by_kind_;
  // Kept to the end: they may still have records to answer for, and ending one waits for its thread, which
  // may be the one that asks.
  std::vector<std::shared_ptr<Producer>> retired_;
};

}  // namespace gopline::kafka
