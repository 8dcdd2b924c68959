#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "bench/segments/path.h"
#include "common/base/clock.h"
#include "common/base/result.h"

// What is timed. Each runs over a path whose topics are fresh.
namespace gopline::bench {

struct PhaseOptions {
  std::int32_t streams = 1;
  Duration duration{};           // of writing
  std::uint64_t most_bytes = 0;  // of all streams together, whichever comes first
  std::uint64_t payload_bytes = 0;
  StopToken stop;
  std::function<void(std::uint64_t)> on_bytes;  // written or read since the last call; from any thread
};

// What one direction took.
struct Flow {
  std::int64_t payloads = 0;
  std::uint64_t bytes = 0;
  double seconds = 0;
  double cpu_seconds = 0;         // of the whole process
  std::uint64_t peak_memory = 0;  // of the whole process, with the payloads made beforehand
};

struct Throughput {
  Flow write;    // from the first send to the last acknowledgement, nobody reading
  Flow read;     // all of that, from the reader's opening to the last verified payload
  Flow passing;  // writing and reading at once: from the first send to the last verified payload
};

// Closed loop: each stream sends as fast as the log takes, then all of it is read back, then both at once.
Result<Throughput> measure_throughput(Path& path, const Clock& clock, const PhaseOptions& options);

struct Latency {
  double rate = 0;                   // payloads a second over all streams
  std::vector<double> milliseconds;  // from when each should have been sent to when it was verified
};

// Open loop: payload i is due at i / rate whatever became of those before; one that is sent late has waited
// all the same.
Result<Latency> measure_latency(Path& path, const Clock& clock, const PhaseOptions& options, double rate);

}  // namespace gopline::bench
