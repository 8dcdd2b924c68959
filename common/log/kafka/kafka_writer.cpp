#include "common/log/kafka/kafka_writer.h"

#include <future>
#include <list>
#include <thread>

#include "common/log/delivery_queue.h"

namespace gopline::kafka {
namespace {

constexpr auto kFullPause = std::chrono::milliseconds(5);
constexpr auto kStopLook = std::chrono::milliseconds(100);

// What one writer has handed over and is not yet answered for. Shared with the records in flight, which may
// outlive a writer that has given them up.
class Outstanding : public std::enable_shared_from_this<Outstanding> {
 public:
  explicit Outstanding(std::size_t max_pending_bytes) : pending_(max_pending_bytes) {}

  PendingBytes& pending() { return pending_; }

  class Record final : public InFlight {
   public:
    Record(std::shared_ptr<Outstanding> owner, std::optional<Buffer> value, PendingBytes::Share share,
           DeliveryCallback callback)
        : owner_(std::move(owner)), value_(std::move(value)), share_(share), callback_(std::move(callback)) {}
    const Buffer* value() const { return value_ ? &*value_ : nullptr; }
    void delivered(Result<Offset> outcome) override { owner_->finish(*this, std::move(outcome)); }

   private:
    friend class Outstanding;
    std::shared_ptr<Outstanding> owner_;
    std::optional<Buffer> value_;
    PendingBytes::Share share_;
    DeliveryCallback callback_;
    std::list<Record*>::iterator place_;
    bool is_listed_ = false;
  };

  void add(Record& record) {
    std::lock_guard lock(mutex_);
    record.place_ = records_.insert(records_.end(), &record);
    record.is_listed_ = true;
  }
  // It was not handed over after all.
  void remove(Record& record) {
    std::lock_guard lock(mutex_);
    if (std::exchange(record.is_listed_, false)) records_.erase(record.place_);
  }
  // Answers for everything that is left; what the cluster says of it later is nobody's concern.
  void give_up(const Error& why) {
    std::lock_guard order(order_);
    for (;;) {
      Record* record = nullptr;
      {
        std::lock_guard lock(mutex_);
        if (records_.empty()) return;
        record = records_.front();
        records_.pop_front();
        record->is_listed_ = false;
      }
      answer(*record, tl::unexpected<Error>(why));
    }
  }

 private:
  void finish(Record& record, Result<Offset> outcome) {
    std::lock_guard order(order_);
    {
      std::lock_guard lock(mutex_);
      if (!std::exchange(record.is_listed_, false)) return;
      records_.erase(record.place_);
    }
    answer(record, std::move(outcome));
  }
  void answer(Record& record, Result<Offset> outcome) {
    if (record.callback_) record.callback_(outcome);
    pending_.give_back(record.share_, outcome);
  }

  PendingBytes pending_;
  std::mutex order_;  // callbacks come one after the other
  std::mutex mutex_;
  std::list<Record*> records_;
};

class KafkaWriter final : public LogWriter {
 public:
  KafkaWriter(std::shared_ptr<Cluster> cluster, std::shared_ptr<Producers> producers,
              LogWriterOptions options)
      : cluster_(std::move(cluster)),
        producers_(std::move(producers)),
        options_(std::move(options)),
        pool_(options_.max_pending_bytes),
        outstanding_(std::make_shared<Outstanding>(options_.max_pending_bytes)) {}

  ~KafkaWriter() override { (void)flush(); }

  Result<void> append(const TopicPartition& where, NewRecord record, DeliveryCallback on_delivery,
                      StopToken stop) override {
    GOPLINE_ASSIGN(auto topic, topic_of(where));
    auto bytes = record_bytes(record);
    if (bytes > topic.info.max_record_bytes) {
      return fail(ErrorCode::kTooLarge, "a record of {} bytes; topic {} takes {}", bytes, where.topic,
                  topic.info.max_record_bytes);
    }
    // Somebody who waits without a stop of his own waits no longer than the writer may.
    bool has_stop = stop.stop_possible();
    GOPLINE_ASSIGN(auto share, outstanding_->pending().take(bytes, has_stop ? stop : options_.stop,
                                                            has_stop ? Duration(0) : options_.stop_grace));
    auto handed_over = hand_over(where, topic, std::move(record), share, std::move(on_delivery), stop);
    // Not taken, so not a failure that flush() has to tell.
    if (!handed_over) outstanding_->pending().give_back(share, Offset(0));
    return handed_over;
  }

  // Alone and waited for, a record can be given again without harm to any order: to a partition that is new,
  // of which the broker it went to had not heard.
  Result<Offset> append_and_wait(const TopicPartition& where, NewRecord record) override {
    auto until = std::chrono::steady_clock::now() + cluster_->options().patience;
    for (;;) {
      auto outcome = append_once_and_wait(where, record);
      bool is_new = !outcome && outcome.error().code == ErrorCode::kNotFound &&
                    std::chrono::steady_clock::now() < until && topic_of(where);
      if (!is_new || options_.stop.stop_requested()) return outcome;
      std::this_thread::sleep_for(kStopLook);
    }
  }

  bool joins_buffers() const override { return true; }

  Result<void> flush() override {
    auto flushed = outstanding_->pending().drain(options_.stop, options_.stop_grace);
    if (!flushed && flushed.error().code == ErrorCode::kCancelled && options_.stop.stop_requested()) {
      give_up();
      (void)outstanding_->pending().drain();
    }
    return flushed;
  }

 private:
  Result<Offset> append_once_and_wait(const TopicPartition& where, NewRecord record) {
    auto promise = std::make_shared<std::promise<Result<Offset>>>();
    auto outcome = promise->get_future();
    GOPLINE_TRY(append(where, std::move(record),
                       [promise](Result<Offset> result) { promise->set_value(std::move(result)); }, {}));
    while (outcome.wait_for(kStopLook) != std::future_status::ready) {
      if (options_.stop.stop_requested() &&
          outcome.wait_for(options_.stop_grace) != std::future_status::ready) {
        give_up();
      }
    }
    return outcome.get();
  }

  Result<TopicFacts> topic_of(const TopicPartition& where) {
    GOPLINE_ASSIGN(auto topic, cluster_->known_topic(where.topic));
    if (where.partition.value >= topic.info.partitions) {
      GOPLINE_ASSIGN(topic, cluster_->describe(where.topic));  // perhaps it has grown
    }
    if (where.partition.value < 0 || where.partition.value >= topic.info.partitions) {
      return fail(ErrorCode::kNotFound, "topic {} has no partition {}", where.topic, where.partition);
    }
    return topic;
  }

  Result<void> hand_over(const TopicPartition& where, const TopicFacts& topic, NewRecord record,
                         PendingBytes::Share share, DeliveryCallback on_delivery, const StopToken& stop) {
    GOPLINE_ASSIGN(auto producer, producers_->producer_for(topic.info.max_record_bytes, options_.compress));
    std::optional<Buffer> value;
    // The one copy of a segment: its packets side by side, as librdkafka takes them.
    if (record.value) value = record.value->flatten(pool_);
    record.value.reset();
    // A topic that goes away while records are on their way is asked for anew by the next append.
    auto callback = [cluster = cluster_, topic_name = where.topic,
                     inner = std::move(on_delivery)](Result<Offset> outcome) {
      if (!outcome && outcome.error().code != ErrorCode::kUnavailable) cluster->forget(topic_name);
      if (inner) inner(std::move(outcome));
    };
    auto in_flight = std::make_unique<Outstanding::Record>(outstanding_, std::move(value), share, callback);
    auto* listed = in_flight.get();
    auto stored = cluster_->stored_name(where.topic);
    Outgoing outgoing{stored, topic.compression, where.partition, record, listed->value()};
    std::unique_ptr<InFlight> handed(std::move(in_flight));
    outstanding_->add(*listed);
    auto until = std::chrono::steady_clock::now() + cluster_->options().patience;
    for (;;) {
      auto error = producer->produce(outgoing, handed);
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
      bool is_new_to_it =
          error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION && std::chrono::steady_clock::now() < until;
      if (is_new_to_it) producer->refresh(stored);
      bool later = error == RD_KAFKA_RESP_ERR__QUEUE_FULL || is_new_to_it;
      if (later && stop.stop_requested()) {
        outstanding_->remove(*listed);
        return fail(ErrorCode::kCancelled, "stopped while writing to topic {}", where.topic);
      }
      if (!later) {
        outstanding_->remove(*listed);
        cluster_->forget(where.topic);
        return fail_kafka(error, fmt::format("writing to {}, partition {}", stored, where.partition));
      }
      std::this_thread::sleep_for(kFullPause);
    }
  }

  void give_up() {
    outstanding_->give_up({ErrorCode::kCancelled, fmt::format("{} did not acknowledge it in time",
                                                              describe_cluster(cluster_->options()))});
  }

  std::shared_ptr<Cluster> cluster_;
  std::shared_ptr<Producers> producers_;
  LogWriterOptions options_;
  BufferPool pool_;
  std::shared_ptr<Outstanding> outstanding_;
};

}  // namespace

Result<std::unique_ptr<LogWriter>> make_kafka_writer(std::shared_ptr<Cluster> cluster,
                                                     std::shared_ptr<Producers> producers,
                                                     LogWriterOptions options) {
  return std::make_unique<KafkaWriter>(std::move(cluster), std::move(producers), std::move(options));
}

}  // namespace gopline::kafka
