#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "bench/segments/payload_set.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"

// The two ends that are measured, whoever's they are.
namespace gopline::bench {

// Sends the payloads of one stream. Used from one thread; acknowledged() from any.
class WriteSide {
 public:
  virtual ~WriteSide() = default;
  // Hands over the next payload; blocks while too much is unacknowledged. kCancelled once `stop` is
  // requested.
  virtual Result<void> send(StopToken stop) = 0;
  virtual Result<std::int64_t> acknowledged() const = 0;  // payloads, durable; the first failure instead
  virtual Result<void> finish() = 0;                      // whatever follows the last payload
};

// A payload that has come whole and is the one that was sent.
struct Arrival {
  std::int32_t stream = 0;
  std::int64_t sequence = 0;
  std::uint64_t bytes = 0;
  SteadyTime when;
};

// Receives the payloads of all streams. Not thread-safe.
class ReadSide {
 public:
  virtual ~ReadSide() = default;
  // What has come; waits at most so long for the first. kCorrupt when it is not what was sent.
  virtual Result<std::vector<Arrival>> poll(Duration max_wait) = 0;
};

// One way from a writer to a reader, over topics of its own.
class Path {
 public:
  virtual ~Path() = default;
  // `run` marks what it sends: another for every phase, so that no two payloads are the same.
  virtual Result<std::unique_ptr<WriteSide>> open_writer(std::int32_t stream, std::uint64_t run) = 0;
  // Reads what the writers of that run send, in topics from their beginning or from what is now their end.
  enum class From { kBeginning, kEnd };
  virtual Result<std::unique_ptr<ReadSide>> open_reader(From from, std::uint64_t run) = 0;
};

}  // namespace gopline::bench
