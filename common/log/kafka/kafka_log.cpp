#include "common/log/kafka/kafka_log.h"

#include "common/log/kafka/kafka_reader.h"
#include "common/log/kafka/kafka_writer.h"
#include "common/log/kafka/start_positions.h"

namespace gopline {
namespace {

using namespace kafka;

// Up to here, which is a chunk and a half, a record alone is no slower than its chunks; beyond, chunks arrive
// sooner, at the same rate: docs/benchmarks.md.
constexpr std::uint64_t kComfortableBytes = 3 << 20;

class KafkaLog final : public Log {
 public:
  explicit KafkaLog(std::shared_ptr<Cluster> cluster)
      : cluster_(std::move(cluster)),
        producers_(std::make_shared<Producers>(cluster_->options())),
        pool_(std::make_shared<ConsumerPool>(cluster_->options())) {}

  Result<TopicInfo> ensure_topic(const TopicSpec& spec) override {
    if (spec.name.empty() || spec.partitions < 1) {
      return fail(ErrorCode::kInvalidArgument, "a topic has a name and at least one partition");
    }
    auto found = describe_topic(spec.name);
    if (found || found.error().code != ErrorCode::kNotFound) return found;
    GOPLINE_TRY(cluster_->create(spec));
    GOPLINE_ASSIGN(auto topic, cluster_->describe_new(spec.name));
    return topic.info;
  }

  Result<TopicInfo> describe_topic(const std::string& name) override {
    GOPLINE_ASSIGN(auto topic, cluster_->describe(name));
    return topic.info;
  }

  Result<std::vector<std::string>> list_topics() override { return cluster_->list(); }

  Result<void> add_partitions(const std::string& name, std::int32_t partitions) override {
    GOPLINE_ASSIGN(auto topic, cluster_->describe(name));
    if (partitions < topic.info.partitions) {
      return fail(ErrorCode::kInvalidArgument, "topic {} has {} partitions; there can only be more", name,
                  topic.info.partitions);
    }
    if (partitions == topic.info.partitions) return {};
    return cluster_->add_partitions(name, partitions);
  }

  Result<void> delete_topic(const std::string& name) override { return cluster_->remove(name); }

  Result<OffsetRange> offsets(const TopicPartition& where) override {
    GOPLINE_TRY(check_partition(*cluster_, where));
    GOPLINE_ASSIGN(auto begins, cluster_->offsets_at({{where, Cluster::kEarliest}}));
    GOPLINE_ASSIGN(auto ends, cluster_->offsets_at({{where, Cluster::kLatest}}));
    return OffsetRange{begins.front(), ends.front()};
  }

  // The brokers do it, by their own clock.
  Result<void> apply_retention() override { return {}; }

  Result<std::unique_ptr<LogWriter>> make_writer(LogWriterOptions options) override {
    return make_kafka_writer(cluster_, producers_, std::move(options));
  }

  Result<std::unique_ptr<LogReader>> make_reader(LogReaderOptions options) override {
    return std::make_unique<KafkaReader>(cluster_, pool_, std::move(options));
  }

  // A fetch brings whole records.
  bool reads_headers_alone() const override { return false; }

  // One connection to a broker carries all records to it, one after the other.
  std::uint64_t comfortable_value_bytes() const override { return kComfortableBytes; }

  bool compresses() const override { return true; }

  std::string describe() const override { return describe_cluster(cluster_->options()); }

 private:
  std::shared_ptr<Cluster> cluster_;
  std::shared_ptr<Producers> producers_;
  std::shared_ptr<ConsumerPool> pool_;
};

}  // namespace

Result<std::unique_ptr<Log>> open_kafka_log(KafkaLogOptions options) {
  // What a producer or consumer would refuse is said now, not at the first write.
  GOPLINE_TRY(Producer::check(options));
  GOPLINE_TRY(ConsumerPool::check(options));
  GOPLINE_ASSIGN(auto cluster, Cluster::connect(options));
  return std::make_unique<KafkaLog>(std::move(cluster));
}

}  // namespace gopline
