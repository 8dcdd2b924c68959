#pragma once
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "common/log/kafka/kafka_error.h"

namespace gopline::kafka {

// What librdkafka says of its connections: kept, so that a time-out can be explained, and logged, each kind
// of trouble at most every ten seconds, with how often it came. Thread-safe: called from librdkafka's
// threads.
class ConnectionState {
 public:
  explicit ConnectionState(std::string subject) : subject_(std::move(subject)) {}

  void on_error(rd_kafka_resp_err_t error, const char* reason);
  void on_log(int level, const char* facility, const char* text);

  // Whether a topic or partition was said to be missing since the last call.
  bool take_missing_topic() const { return missing_topic_.exchange(false); }

  // A login or certificate that was refused: waiting will not help.
  std::optional<Error> refusal() const;
  // The newest trouble, or "", and how many there have been.
  std::string trouble() const;
  std::uint64_t troubles() const { return troubles_; }

 private:
  struct Seen {
    std::chrono::steady_clock::time_point said;
    int since = 0;
  };
  // Empty: said not long ago.
  std::optional<std::string> worth_saying(const std::string& kind, std::string text);

  const std::string subject_;
  std::atomic<std::uint64_t> troubles_ = 0;
  mutable std::atomic<bool> missing_topic_ = false;
  mutable std::mutex mutex_;
  std::optional<Error> refusal_;
  std::string trouble_;
  std::map<std::string, Seen> seen_;
};

}  // namespace gopline::kafka
