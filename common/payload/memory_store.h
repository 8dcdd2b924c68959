#pragma once
#include <array>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "common/base/clock.h"
#include "common/payload/blob_store.h"

namespace gopline::payload {

// The contents behind memory stores, and a test's levers on them: what shall fail, wait, or be found damaged.
// Stores opened over the same contents are what processes are over a folder. Thread-safe.
class MemoryBlobs {
 public:
  enum class Operation { kPut, kGet, kStat, kList, kRemove };

  explicit MemoryBlobs(std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>())
      : clock_(std::move(clock)) {}

  // The next `count` calls of `operation` fail with `error`, its message behind their URI. They change
  // nothing.
  void fail_next(Operation operation, int count, Error error);

  // Calls of `operation` wait from now on, until release() or until they are stopped.
  void hold(Operation operation);
  void release(Operation operation);
  // Lets one of the waiting calls, or the next to come, through.
  void release_one(Operation operation);
  // Blocks until that many calls of `operation` wait.
  void await_held(Operation operation, int count);

  int calls(Operation operation) const;  // begun so far, with those that failed
  int most_at_once(Operation operation) const;

  // Behind the stores' back. The blob must be there.
  void set_modified(const std::string& key, Timestamp time);
  void cut(const std::string& key);   // its last byte off
  void flip(const std::string& key);  // a bit of its first byte

 private:
  friend class MemoryStore;
  static constexpr std::size_t kOperations = 5;

  struct Blob {
    Buffer bytes;
    Timestamp modified;
  };
  struct Lever {
    int failures = 0;
    Error error;
    bool holds = false;
    int let_through = 0;
    int held = 0, calls = 0, running = 0, most_at_once = 0;
  };
  Lever& lever(Operation operation) { return levers_[static_cast<std::size_t>(operation)]; }
  const Lever& lever(Operation operation) const { return levers_[static_cast<std::size_t>(operation)]; }
  // What every call passes first.
  Result<void> enter(std::unique_lock<std::mutex>& lock, Operation operation, const std::string& uri,
                     const StopToken& stop);

  const std::shared_ptr<const Clock> clock_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, Blob> blobs_;
  std::array<Lever, kOperations> levers_;
};

// Blobs in memory, for tests and for a process that has both ends. `name` tells stores apart in their URIs:
// memory://NAME/KEY.
std::unique_ptr<BlobStore> open_memory_store(std::shared_ptr<MemoryBlobs> blobs, std::string name = "blobs");

}  // namespace gopline::payload
