#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "common/log/log.h"

namespace gopline {

// How much memory a record takes while it waits: what LogWriterOptions::max_pending_bytes counts.
std::size_t record_bytes(const NewRecord& record);

// The byte budget of a writer: what it has taken and not yet answered for. Answers come in order per
// partition only, so a flush waits for its own records: each belongs to the round between two flushes in
// which it was taken. Thread-safe.
class PendingBytes {
 public:
  struct Share {
    std::size_t bytes = 0;
    std::uint64_t round = 0;
  };

  explicit PendingBytes(std::size_t limit) : limit_(limit) {}

  // Waits until `bytes` fit; a record larger than the whole budget goes alone. kCancelled when `stop` is
  // requested, and then nothing is given back for `grace`.
  Result<Share> take(std::size_t bytes, const StopToken& stop, Duration grace = {});
  // The record is answered for.
  void give_back(const Share& share, const Result<Offset>& outcome);
  // Waits until everything taken before the call is given back; the first failure since the last call is
  // returned. kCancelled when `stop` is requested, and then nothing is given back for `grace`.
  Result<void> drain(const StopToken& stop = {}, Duration grace = {});

 private:
  // Under the lock. False: stopped, and no progress for `grace`.
  bool wait(std::unique_lock<std::mutex>& lock, const StopToken& stop, Duration grace,
            const std::function<bool()>& is_done);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  const std::size_t limit_;
  std::size_t bytes_ = 0;
  std::uint64_t given_back_ = 0;
  std::uint64_t round_ = 0;
  std::map<std::uint64_t, std::size_t> unanswered_;  // records by round
  std::optional<Error> first_failure_;
};

// Runs delivery callbacks in the order of push(), from a thread of its own, so that a caller of append()
// never finds its callback running on its own stack. Thread-safe.
class DeliveryQueue {
 public:
  explicit DeliveryQueue(std::size_t max_pending_bytes);
  ~DeliveryQueue();  // runs what was pushed, then joins

  DeliveryQueue(const DeliveryQueue&) = delete;
  DeliveryQueue& operator=(const DeliveryQueue&) = delete;

  PendingBytes& pending() { return pending_; }
  void push(PendingBytes::Share share, DeliveryCallback callback, Result<Offset> outcome);
  // While held, callbacks wait: a log that takes records and does not acknowledge them. For tests.
  void hold(bool held);

 private:
  struct Delivery {
    PendingBytes::Share share;
    DeliveryCallback callback;
    Result<Offset> outcome;
  };
  void run();

  PendingBytes pending_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Delivery> deliveries_;
  bool held_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace gopline
