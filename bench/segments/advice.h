#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "bench/segments/results.h"

// From figures to what to do. Pure functions.
namespace gopline::bench {

// What the cluster is to carry.
struct Goal {
  std::int32_t streams = 16;
  double bits_per_second = 4e6;     // of each stream
  std::optional<Duration> latency;  // from a picture's capture until a reader can have it
};

// One recommendation: "segment duration", "2 s", and why, with the figures it rests on.
struct AdvicePoint {
  std::string subject, value, reason;
};

using Properties = std::vector<std::pair<std::string, std::string>>;  // ready to be pasted

struct Advice {
  std::string summary;  // in a sentence
  std::vector<AdvicePoint> points;
  std::string command;  // `gopline split` with all of it
  Properties client, topic, broker;
  std::vector<std::string> cautions;  // why the figures may not hold
};

// kInvalidArgument where the results have no case with figures.
Result<Advice> advise(const Results& results, const Goal& goal);

std::string to_text(const Advice& advice);
nlohmann::json to_json(const Advice& advice);

}  // namespace gopline::bench
