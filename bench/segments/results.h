#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "bench/segments/plan.h"
#include "common/base/clock.h"
#include "common/base/result.h"

// What was measured: values, their JSON (docs/cli.md) and CSV. Rates are in MB (10^6 bytes), times in
// seconds or, where the name says so, milliseconds.
namespace gopline::bench {

// A figure over the repetitions: their median, and the least and the greatest.
struct Spread {
  double median = 0, low = 0, high = 0;
  bool operator==(const Spread&) const = default;
};
std::optional<Spread> spread_of(std::vector<double> values);  // nullopt: there are none

// One repetition of one case.
struct Repetition {
  double write_mb_s = 0, write_per_s = 0;      // acknowledged, nobody reading
  double read_mb_s = 0, read_per_s = 0;        // verified, nobody writing
  double through_mb_s = 0, through_per_s = 0;  // both at once, verified
  double write_cpu_s_gb = 0, read_cpu_s_gb = 0;
  double write_peak_mb = 0, read_peak_mb = 0;  // of the whole process, with the payloads
  std::int64_t payloads = 0;                   // of the three together
  bool operator==(const Repetition&) const = default;
};

struct LatencyFigures {
  double rate_per_s = 0;
  std::uint64_t samples = 0;
  std::optional<double> p50_ms, p99_ms, p999_ms, worst_ms;  // of all repetitions' samples; nullopt: too few
  std::vector<double> p50_of_each_ms;                       // repetition
  bool operator==(const LatencyFigures&) const = default;
};

struct CaseResult {
  Case measured;
  std::string chosen;  // what `auto` chose, and why
  std::string absent;  // why there are no figures; empty: there are
  std::vector<Repetition> repetitions;
  std::optional<LatencyFigures> latency;

  std::optional<Spread> spread(double Repetition::*figure) const;
  bool operator==(const CaseResult&) const = default;
};

struct Environment {
  std::string log;    // URL without secrets
  std::string blobs;  // empty: none
  int brokers = 0;    // 0: no cluster
  std::int32_t partitions = 0;
  std::uint64_t record_bytes = 0;  // the largest record that the benchmark's topics take
  std::string program, client;     // versions of gopline and librdkafka
  std::string machine, kernel;
  int cores = 0;
  std::uint64_t memory_bytes = 0;
  Timestamp started{};
  bool operator==(const Environment&) const = default;
};

struct Settings {
  std::int32_t streams = 1;
  int repetitions = 3;
  Duration duration{}, latency_duration{}, warm_up{};
  std::uint64_t most_bytes = 0;
  std::optional<double> rate;  // given; else default_rate()
  std::string source;          // of video; empty: random bytes only
  bool operator==(const Settings&) const = default;
};

struct Results {
  Environment environment;
  Settings settings;
  std::vector<CaseResult> cases;
  bool complete = false;  // nothing was cut short
  bool operator==(const Results&) const = default;
};

nlohmann::json to_json(const Results& results);
// The inverse. kInvalidArgument for a document that is not one of ours, with what is wrong in it.
Result<Results> results_from(const nlohmann::json& document);
std::string to_csv(const Results& results);  // a heading, and a line for each case

}  // namespace gopline::bench
