#include "cli/bench_table.h"

#include <fmt/format.h>

#include "cli/table.h"

namespace gopline::cli {
namespace {

using bench::CaseResult;
using bench::Repetition;

// "412 ±7 %": half of the way from the least to the greatest, of the median.
std::string show(const std::optional<bench::Spread>& spread) {
  if (!spread) return "-";
  if (spread->low == spread->high || spread->median <= 0) return fmt::format("{:.0f}", spread->median);
  return fmt::format("{:.0f} ±{:.0f} %", spread->median, 50 * (spread->high - spread->low) / spread->median);
}

std::string rate(const std::optional<bench::Spread>& spread) {
  if (!spread) return "-";
  return spread->median < 100 ? fmt::format("{:.3g}", spread->median) : fmt::format("{:.0f}", spread->median);
}

std::string milliseconds(const std::optional<double>& value) {
  if (!value) return "-";
  return *value < 100 ? fmt::format("{:.1f}", *value) : fmt::format("{:.0f}", *value);
}

std::string payload_of(const CaseResult& c) {
  auto size = bench::show_size(c.measured.bytes);
  if (!c.measured.duration) return size;
  auto video = bench::show_seconds_short(*c.measured.duration) + " video";
  return c.measured.bytes > 0 ? video + ", " + size : video;
}

std::vector<std::string> row_of(const CaseResult& c) {
  std::vector<std::string> row{payload_of(c), to_string(c.measured.strategy)};
  if (!c.absent.empty()) {
    row.push_back(c.absent);
    return row;
  }
  auto cpu = [&](double Repetition::*figure) {
    auto spread = c.spread(figure);
    return spread ? fmt::format("{:.2f}", spread->median) : "-";
  };
  row.push_back(show(c.spread(&Repetition::write_mb_s)));
  row.push_back(show(c.spread(&Repetition::read_mb_s)));
  row.push_back(show(c.spread(&Repetition::through_mb_s)));
  row.push_back(rate(c.spread(&Repetition::write_per_s)));
  row.push_back(cpu(&Repetition::write_cpu_s_gb));
  row.push_back(cpu(&Repetition::read_cpu_s_gb));
  auto peak = c.spread(&Repetition::write_peak_mb);
  row.push_back(peak ? fmt::format("{:.0f}", peak->low) : "-");
  auto latency = c.latency.value_or(bench::LatencyFigures{});
  row.push_back(milliseconds(latency.p50_ms));
  row.push_back(milliseconds(latency.p99_ms));
  row.push_back(milliseconds(latency.p999_ms));
  row.push_back(milliseconds(latency.worst_ms));
  row.push_back(c.latency ? fmt::format("{} at {:.3g}/s", latency.samples, latency.rate_per_s) : "-");
  return row;
}

}  // namespace

std::string to_table(const bench::Results& results) {
  Table table({{"payload"},
               {"strategy"},
               {"write MB/s", Align::kRight},
               {"read MB/s", Align::kRight},
               {"both MB/s", Align::kRight},
               {"write msg/s", Align::kRight},
               {"CPU-s/GB w", Align::kRight},
               {"r", Align::kRight},
               {"peak MB", Align::kRight},
               {"p50 ms", Align::kRight},
               {"p99", Align::kRight},
               {"p99.9", Align::kRight},
               {"worst", Align::kRight},
               {"samples", Align::kRight}});
  for (const auto& c : results.cases) table.add_row(row_of(c));
  return table.to_string();
}

}  // namespace gopline::cli
