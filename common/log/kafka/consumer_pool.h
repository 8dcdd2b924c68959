#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "common/log/kafka/client.h"

namespace gopline::kafka {

// How a consumer that belongs to no group fetches. Readers with the same needs take turns with one consumer.
struct FetchNeeds {
  std::size_t max_poll_bytes = 0;
  bool check_crcs = true;
  auto operator<=>(const FetchNeeds&) const = default;
};

// The settings of a consumer with these needs, in a group or not.
std::vector<Setting> consumer_settings(const FetchNeeds& needs);

// Consumers that are connected and idle: a reader of one record does not pay for connections. Thread-safe.
class ConsumerPool {
 public:
  explicit ConsumerPool(KafkaLogOptions options) : options_(std::move(options)) {}

  // Whether a consumer takes the options' properties; kInvalidArgument names the one that it does not.
  static Result<void> check(const KafkaLogOptions& options);

  Result<std::shared_ptr<Client>> take(const FetchNeeds& needs);
  void give_back(const FetchNeeds& needs, std::shared_ptr<Client> consumer);

 private:
  static constexpr std::size_t kMostIdle = 4;  // of the same needs

  KafkaLogOptions options_;
  std::mutex mutex_;
  std::map<FetchNeeds, std::vector<std::shared_ptr<Client>>> idle_;
};

}  // namespace gopline::kafka
