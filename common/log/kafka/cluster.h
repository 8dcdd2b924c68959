#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/log/kafka/client.h"

namespace gopline::kafka {

// A topic as the cluster describes it.
struct TopicFacts {
  TopicInfo info;  // with the caller's name, without the prefix
  std::string
      compression;  // of its compression.type: a codec, or "producer" or "" where it has none of its own
};

// The questions to a cluster and what is made there, over one client of its own. Keeps what it has
// learnt of topics, since every append needs it. Thread-safe.
class Cluster {
 public:
  // Connects; see open_kafka_log().
  static Result<std::shared_ptr<Cluster>> connect(const KafkaLogOptions& options);

  const KafkaLogOptions& options() const { return client_->options(); }
  std::string stored_name(std::string_view name) const { return options().prefix + std::string(name); }

  // kNotFound when missing. `known_topic` may answer from memory, `describe` asks.
  Result<TopicFacts> describe(const std::string& topic);
  Result<TopicFacts> known_topic(const std::string& topic);
  void forget(const std::string& topic);
  Result<std::vector<std::string>> list();

  // Makes the topic, unless somebody else just has, and returns when it has leaders.
  Result<void> create(const TopicSpec& spec);
  // Describes a topic that has just been made.
  Result<TopicFacts> describe_new(const std::string& topic);
  Result<void> add_partitions(const std::string& topic, std::int32_t partitions);
  Result<void> remove(const std::string& topic);

  // For each partition the offset of the first record at or after its time; kEarliest and kLatest: where the
  // partition begins, and its end. The end, too, where there is no such record.
  static constexpr std::int64_t kEarliest = RD_KAFKA_OFFSET_BEGINNING;
  static constexpr std::int64_t kLatest = RD_KAFKA_OFFSET_END;
  struct Question {
    TopicPartition where;
    std::int64_t time_ms;
  };
  Result<std::vector<Offset>> offsets_at(const std::vector<Question>& questions);  // at least one

 private:
  explicit Cluster(std::shared_ptr<Client> client) : client_(std::move(client)) {}

  struct Layout {
    std::int32_t partitions = 0;
    bool has_leaders = false;
  };
  Result<Layout> layout(const std::string& stored) const;
  Result<std::map<std::string, std::string>> configuration(const std::string& stored) const;
  Result<void> wait_for_leaders(const std::string& topic, std::int32_t partitions) const;
  Result<bool> look_again(const std::vector<Question>& questions, rd_kafka_resp_err_t error);
  bool was_there_lately(const std::string& topic);
  Result<void> wait_until_gone(const std::string& topic);
  Result<int> broker_count() const;
  Result<std::map<std::string, std::string>> settings_for(const TopicSpec& spec) const;

  std::shared_ptr<Client> client_;
  std::mutex mutex_;
  std::map<std::string, TopicFacts> known_;
  std::map<std::string, std::chrono::steady_clock::time_point> first_seen_;
};

}  // namespace gopline::kafka
