#pragma once
#include <string>

#include "bench/segments/results.h"

namespace gopline::bench {

// Made-up figures of a cluster for tests.
struct Made {
  double through = 300;  // MB/s
  double cpu = 0.5;      // CPU-s/GB, written and read each
  double p50 = 5, p99 = 10;
};

inline CaseResult case_of(const std::string& strategy, std::uint64_t bytes, Made made) {
  CaseResult c;
  c.measured = {*strategy_from(strategy), bytes, std::nullopt};
  for (double factor : {1.0, 0.95, 1.05}) {
    Repetition r;
    r.write_mb_s = 1.2 * factor * made.through;
    r.read_mb_s = 3 * factor * made.through;
    r.through_mb_s = factor * made.through;
    r.write_per_s = r.write_mb_s * 1e6 / static_cast<double>(bytes);
    r.read_per_s = r.read_mb_s * 1e6 / static_cast<double>(bytes);
    r.through_per_s = r.through_mb_s * 1e6 / static_cast<double>(bytes);
    r.write_cpu_s_gb = r.read_cpu_s_gb = made.cpu;
    r.write_peak_mb = r.read_peak_mb = 100;
    r.payloads = 42;
    c.repetitions.push_back(r);
  }
  c.latency = LatencyFigures{10, 120, made.p50, made.p99, std::nullopt, 2 * made.p99, {made.p50, made.p50}};
  return c;
}

inline CaseResult absent_case(const std::string& strategy, std::uint64_t bytes, const std::string& why) {
  CaseResult c;
  c.measured = {*strategy_from(strategy), bytes, std::nullopt};
  c.absent = why;
  return c;
}

// A cluster on which small payloads are dear, and large ones come later in one record than in chunks.
inline Results made_results() {
  Results out;
  out.complete = true;
  out.environment.log = "kafka://broker:9092";
  out.environment.brokers = 3;
  out.environment.partitions = 1;
  out.environment.record_bytes = 20'000'000;
  out.environment.program = "0.1.0";
  out.environment.client = "2.8.0";
  out.environment.machine = "a <fast> machine & friends";
  out.environment.kernel = "Linux 6";
  out.environment.cores = 8;
  out.environment.memory_bytes = 64'000'000'000;
  out.environment.started = Timestamp(std::chrono::seconds(1'790'000'000));
  out.settings.repetitions = 3;
  out.settings.duration = std::chrono::seconds(2);
  out.settings.latency_duration = std::chrono::seconds(4);
  out.settings.warm_up = std::chrono::seconds(10);
  out.settings.most_bytes = 500'000'000;
  out.cases = {case_of("inline", 16'000, {60, 5, 1, 3}),
               case_of("chunk", 16'000, {60, 5, 1, 3}),
               case_of("inline", 1'000'000, {300, 0.5, 5, 9}),
               case_of("chunk", 1'000'000, {300, 0.5, 5, 9}),
               case_of("inline", 16'000'000, {310, 0.5, 80, 200}),
               case_of("chunk", 16'000'000, {300, 0.6, 30, 50}),
               absent_case("inline", 64'000'000, "one record takes 20 MB here"),
               case_of("chunk", 64'000'000, {300, 0.6, 120, 180}),
               case_of("raw", 1'000'000, {320, 0.4, 5, 9})};
  return out;
}

}  // namespace gopline::bench
