#include <nlohmann/json.hpp>

#include "bench/segments/results.h"
#include "common/base/text.h"

namespace gopline::bench {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "gopline.bench.segments.v1";

double seconds_of(Duration duration) {
  return static_cast<double>(duration.count()) / 1e6;
}
Duration duration_of(double seconds) {
  return Duration(static_cast<Duration::rep>(seconds * 1e6 + 0.5));
}

template <typename Value>
json or_null(const std::optional<Value>& value) {
  return value ? json(*value) : json(nullptr);
}
std::optional<double> number_or_null(const json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

json json_of(const Repetition& r) {
  return {{"write_mb_s", r.write_mb_s},
          {"write_per_s", r.write_per_s},
          {"read_mb_s", r.read_mb_s},
          {"read_per_s", r.read_per_s},
          {"through_mb_s", r.through_mb_s},
          {"through_per_s", r.through_per_s},
          {"write_cpu_s_gb", r.write_cpu_s_gb},
          {"read_cpu_s_gb", r.read_cpu_s_gb},
          {"write_peak_mb", r.write_peak_mb},
          {"read_peak_mb", r.read_peak_mb},
          {"payloads", r.payloads}};
}

Repetition repetition_from(const json& j) {
  Repetition r;
  j.at("write_mb_s").get_to(r.write_mb_s);
  j.at("write_per_s").get_to(r.write_per_s);
  j.at("read_mb_s").get_to(r.read_mb_s);
  j.at("read_per_s").get_to(r.read_per_s);
  j.at("through_mb_s").get_to(r.through_mb_s);
  j.at("through_per_s").get_to(r.through_per_s);
  j.at("write_cpu_s_gb").get_to(r.write_cpu_s_gb);
  j.at("read_cpu_s_gb").get_to(r.read_cpu_s_gb);
  j.at("write_peak_mb").get_to(r.write_peak_mb);
  j.at("read_peak_mb").get_to(r.read_peak_mb);
  j.at("payloads").get_to(r.payloads);
  return r;
}

json json_of(const LatencyFigures& l) {
  return {{"rate_per_s", l.rate_per_s},        {"samples", l.samples},
          {"p50_ms", or_null(l.p50_ms)},       {"p99_ms", or_null(l.p99_ms)},
          {"p999_ms", or_null(l.p999_ms)},     {"worst_ms", or_null(l.worst_ms)},
          {"p50_of_each_ms", l.p50_of_each_ms}};
}

LatencyFigures latency_from(const json& j) {
  LatencyFigures l;
  j.at("rate_per_s").get_to(l.rate_per_s);
  j.at("samples").get_to(l.samples);
  l.p50_ms = number_or_null(j.at("p50_ms"));
  l.p99_ms = number_or_null(j.at("p99_ms"));
  l.p999_ms = number_or_null(j.at("p999_ms"));
  l.worst_ms = number_or_null(j.at("worst_ms"));
  j.at("p50_of_each_ms").get_to(l.p50_of_each_ms);
  return l;
}

// Medians stand beside the repetitions for whoever does not want to make them.
json medians_of(const CaseResult& c) {
  json out = json::object();
  if (c.repetitions.empty()) return out;
  out = {{"write_mb_s", c.spread(&Repetition::write_mb_s)->median},
         {"read_mb_s", c.spread(&Repetition::read_mb_s)->median},
         {"through_mb_s", c.spread(&Repetition::through_mb_s)->median},
         {"write_cpu_s_gb", c.spread(&Repetition::write_cpu_s_gb)->median},
         {"read_cpu_s_gb", c.spread(&Repetition::read_cpu_s_gb)->median}};
  return out;
}

json json_of(const CaseResult& c) {
  json repetitions = json::array();
  for (const auto& repetition : c.repetitions) repetitions.push_back(json_of(repetition));
  auto duration = c.measured.duration ? json(seconds_of(*c.measured.duration)) : json(nullptr);
  return {{"strategy", to_string(c.measured.strategy)},
          {"bytes", c.measured.bytes},
          {"duration_s", duration},
          {"chosen", c.chosen},
          {"absent", c.absent.empty() ? json(nullptr) : json(c.absent)},
          {"medians", medians_of(c)},
          {"repetitions", repetitions},
          {"latency", c.latency ? json_of(*c.latency) : json(nullptr)}};
}

Result<CaseResult> case_from(const json& j) {
  CaseResult c;
  GOPLINE_ASSIGN(c.measured.strategy, strategy_from(j.at("strategy").get<std::string>()));
  j.at("bytes").get_to(c.measured.bytes);
  if (!j.at("duration_s").is_null()) c.measured.duration = duration_of(j.at("duration_s"));
  j.at("chosen").get_to(c.chosen);
  if (!j.at("absent").is_null()) j.at("absent").get_to(c.absent);
  for (const auto& repetition : j.at("repetitions")) c.repetitions.push_back(repetition_from(repetition));
  if (!j.at("latency").is_null()) c.latency = latency_from(j.at("latency"));
  return c;
}

json json_of(const Environment& e) {
  return {{"log", e.log},
          {"blobs", e.blobs},
          {"brokers", e.brokers},
          {"partitions", e.partitions},
          {"record_bytes", e.record_bytes},
          {"gopline", e.program},
          {"librdkafka", e.client},
          {"machine", e.machine},
          {"kernel", e.kernel},
          {"cores", e.cores},
          {"memory_bytes", e.memory_bytes},
          {"started", format_rfc3339(e.started)}};
}

Result<Environment> environment_from(const json& j) {
  Environment e;
  j.at("log").get_to(e.log);
  j.at("blobs").get_to(e.blobs);
  j.at("brokers").get_to(e.brokers);
  j.at("partitions").get_to(e.partitions);
  j.at("record_bytes").get_to(e.record_bytes);
  j.at("gopline").get_to(e.program);
  j.at("librdkafka").get_to(e.client);
  j.at("machine").get_to(e.machine);
  j.at("kernel").get_to(e.kernel);
  j.at("cores").get_to(e.cores);
  j.at("memory_bytes").get_to(e.memory_bytes);
  GOPLINE_ASSIGN(e.started, parse_rfc3339(j.at("started").get<std::string>()));
  return e;
}

json json_of(const Settings& s) {
  return {{"streams", s.streams},
          {"repetitions", s.repetitions},
          {"duration_s", seconds_of(s.duration)},
          {"latency_duration_s", seconds_of(s.latency_duration)},
          {"warm_up_s", seconds_of(s.warm_up)},
          {"most_bytes", s.most_bytes},
          {"rate_per_s", or_null(s.rate)},
          {"source", s.source}};
}

Settings settings_from(const json& j) {
  Settings s;
  j.at("streams").get_to(s.streams);
  j.at("repetitions").get_to(s.repetitions);
  s.duration = duration_of(j.at("duration_s"));
  s.latency_duration = duration_of(j.at("latency_duration_s"));
  s.warm_up = duration_of(j.at("warm_up_s"));
  j.at("most_bytes").get_to(s.most_bytes);
  s.rate = number_or_null(j.at("rate_per_s"));
  j.at("source").get_to(s.source);
  return s;
}

Result<Results> parsed(const json& document) {
  Results out;
  if (document.at("format") != kFormat) {
    return fail(ErrorCode::kUnsupported, "results of the format {}; this version reads {}",
                document.at("format").dump(), kFormat);
  }
  document.at("complete").get_to(out.complete);
  GOPLINE_ASSIGN(out.environment, environment_from(document.at("environment")));
  out.settings = settings_from(document.at("settings"));
  for (const auto& c : document.at("cases")) {
    GOPLINE_ASSIGN(auto result, case_from(c));
    out.cases.push_back(std::move(result));
  }
  return out;
}

}  // namespace

json to_json(const Results& results) {
  json cases = json::array();
  for (const auto& c : results.cases) cases.push_back(json_of(c));
  return {{"format", kFormat},
          {"complete", results.complete},
          {"environment", json_of(results.environment)},
          {"settings", json_of(results.settings)},
          {"cases", cases}};
}

Result<Results> results_from(const json& document) {
  try {
    return parsed(document);
  } catch (const json::exception& error) {
    return fail(ErrorCode::kInvalidArgument, "not results of `gopline bench segments`: {}", error.what());
  }
}

}  // namespace gopline::bench
