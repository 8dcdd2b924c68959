#include "bench/segments/results.h"

#include <algorithm>

#include "common/base/text.h"

namespace gopline::bench {
namespace {

std::string csv_cell(const std::optional<double>& value) {
  return value ? fmt::format("{:.6g}", *value) : "";
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

struct Column {
  const char* name;
  double Repetition::*figure;
};
constexpr Column kColumns[] = {
    {"write_mb_s", &Repetition::write_mb_s},         {"write_per_s", &Repetition::write_per_s},
    {"read_mb_s", &Repetition::read_mb_s},           {"read_per_s", &Repetition::read_per_s},
    {"through_mb_s", &Repetition::through_mb_s},     {"through_per_s", &Repetition::through_per_s},
    {"write_cpu_s_gb", &Repetition::write_cpu_s_gb}, {"read_cpu_s_gb", &Repetition::read_cpu_s_gb},
    {"write_peak_mb", &Repetition::write_peak_mb},   {"read_peak_mb", &Repetition::read_peak_mb}};

}  // namespace

std::optional<Spread> spread_of(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::ranges::sort(values);
  auto middle = values.size() / 2;
  auto median = values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return Spread{median, values.front(), values.back()};
}

std::optional<Spread> CaseResult::spread(double Repetition::*figure) const {
  std::vector<double> values;
  for (const auto& repetition : repetitions) values.push_back(repetition.*figure);
  return spread_of(std::move(values));
}

std::string to_csv(const Results& results) {
  std::string out = "bytes,duration_s,strategy,absent,chosen,repetitions";
  for (const auto& column : kColumns) out += fmt::format(",{0},{0}_low,{0}_high", column.name);
  out += ",latency_rate_per_s,latency_samples,p50_ms,p99_ms,p999_ms,worst_ms\n";
  for (const auto& c : results.cases) {
    std::optional<double> seconds;
    if (c.measured.duration) seconds = static_cast<double>(c.measured.duration->count()) / 1e6;
    out +=
        fmt::format("{},{},{},{},{},{}", c.measured.bytes, csv_cell(seconds), to_string(c.measured.strategy),
                    quoted(c.absent), quoted(c.chosen), c.repetitions.size());
    for (const auto& column : kColumns) {
      auto spread = c.spread(column.figure);
      out += spread ? fmt::format(",{:.6g},{:.6g},{:.6g}", spread->median, spread->low, spread->high) : ",,,";
    }
    auto latency = c.latency.value_or(LatencyFigures{});
    out += c.latency ? fmt::format(",{:.6g},{}", latency.rate_per_s, latency.samples) : ",,";
    out += fmt::format(",{},{},{},{}\n", csv_cell(latency.p50_ms), csv_cell(latency.p99_ms),
                       csv_cell(latency.p999_ms), csv_cell(latency.worst_ms));
  }
  return out;
}

}  // namespace gopline::bench
