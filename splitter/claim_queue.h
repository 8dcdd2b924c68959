#pragma once
#include <cstddef>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/bytes/buffer_chain.h"
#include "common/log/log.h"
#include "common/payload/blob_store.h"

namespace gopline::splitter {

// A payload on its way to a store.
struct ClaimedPayload {
  std::string key;
  BufferChain bytes;
};

// Puts payloads into a store, several at a time, and appends the records that refer to them in the order in
// which they came: none before its payload is durable, none before the one ahead of it. After the first
// failure what waits is failed with it, because what follows a missing record would make a hole.
//
// Threads: `kTransfers` that put, one that appends. Thread-safe; callbacks come from its threads or the
// log's.
class ClaimQueue {
 public:
  static constexpr int kTransfers = 4;

  struct Options {
    // Of payloads that are not durable yet, and of records behind them; one larger goes alone.
    std::size_t max_pending_bytes = 64 << 20;
    // Of the run. From then on drain() gives up what waits once nothing has moved for `stop_grace`.
    StopToken stop;
    Duration stop_grace = std::chrono::seconds(5);
  };

  ClaimQueue(LogWriter& writer, payload::BlobStore& store, Options options);
  ~ClaimQueue();  // what was not appended yet fails with kCancelled

  // Takes both over. Blocks while too much is pending; kCancelled once `stop` is requested meanwhile. On
  // error the callback is not called.
  Result<void> append(const TopicPartition& where, ClaimedPayload payload, NewRecord record,
                      DeliveryCallback on_delivery, const StopToken& stop);

  // Behind what was appended before, a record without a payload elsewhere.
  Result<void> append(const TopicPartition& where, NewRecord record, DeliveryCallback on_delivery,
                      const StopToken& stop);

  // Returns when everything was handed to the writer or has failed: the first failure.
  Result<void> drain();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gopline::splitter
