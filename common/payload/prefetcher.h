#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/bytes/buffer.h"
#include "common/payload/blob_store.h"

namespace gopline::payload {

struct PrefetchItem {
  std::shared_ptr<BlobStore> store;
  std::string key;
  std::uint64_t size = 0;  // of the whole blob
};

struct PrefetchSettings {
  std::size_t threads = 4;
  std::uint64_t most_bytes = 64 << 20;
};

// Blobs fetched ahead of whoever reads them: add() says what will be wanted, next() hands out in that order.
// Never more than most_bytes are being fetched or waiting to be handed out; only a single blob that is larger
// than that comes, alone. Fetches begin in order, so the one that next() waits for is always under way.
//
// One thread adds and takes; others may call clear(). Threads are started as they are needed, and the
// destructor stops what they fetch and joins them.
class Prefetcher {
 public:
  explicit Prefetcher(PrefetchSettings settings = {});
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  // Behind everything added before. Never blocks.
  void add(PrefetchItem item);

  // The blob that was added first of those not handed out yet: its bytes, or the error that get() gave; the
  // blobs behind it are handed out all the same. kCancelled once `stop` is requested, and the blob is still
  // the next one then. kNotFound when none is left, which includes that clear() took it away meanwhile.
  Result<Buffer> next(StopToken stop);

  // How many next() has still to hand out.
  std::size_t pending() const;

  // Forgets them, and stops those under way: after a jump. Does not wait.
  void clear();

 private:
  struct Entry {
    PrefetchItem item;
    StopToken stop;
    bool forgotten = false;  // nobody will take it
    bool done = false;
    Result<Buffer> bytes = Buffer();
  };
  using EntryPtr = std::shared_ptr<Entry>;

  void work(const StopToken& ended);
  bool may_begin() const;
  void fetch(std::unique_lock<std::mutex>& lock, EntryPtr entry);

  const PrefetchSettings settings_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  StopSource fetching_;           // of everything added since the last clear()
  std::deque<EntryPtr> entries_;  // in order; those from begun_ on wait for their turn
  std::size_t begun_ = 0;
  std::size_t idle_ = 0;
  std::uint64_t held_ = 0;             // bytes being fetched or waiting to be handed out
  std::vector<std::jthread> threads_;  // last: joined before anything they use is gone
};

}  // namespace gopline::payload
