#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/segments/plan.h"
#include "bench/segments/raw_client.h"
#include "bench/segments/results.h"
#include "bench/segments/workspace.h"

namespace gopline::bench {

// What somebody who watches is told. Any of it may come from any thread.
struct Watcher {
  // Before each step: how much of the whole is done, and what comes.
  std::function<void(double fraction, const std::string& what)> on_step;
  std::function<void(std::uint64_t)> on_bytes;           // sent since the last call
  std::function<void(const std::string& line)> on_line;  // something was measured, or could not be
};

struct Tools {
  Places places;
  const Clock& clock;
  std::shared_ptr<RawClient> raw;  // null where the log is not Kafka
  StopToken stop;
  Watcher watcher;
};

struct Run {
  Results results;             // so far, whatever happened
  std::optional<Error> error;  // what cut it short: kCancelled, or a failure
};

// Measures the plan: a warm-up, then in each repetition the throughput of every case and then its latency,
// every time in topics made for it and removed after it. `results` has settings and what of the environment
// the caller knows. A case that cannot be is in the results with the reason.
Run run_benchmark(const Tools& tools, const std::vector<Case>& plan, Results results);

// What /proc and uname say of this machine.
void describe_machine(Environment& environment);

}  // namespace gopline::bench
