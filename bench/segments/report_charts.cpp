#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "bench/segments/report.h"

namespace gopline::bench {
namespace {

using Figure = std::function<std::optional<Spread>(const CaseResult&)>;

struct Measure {
  const char* id;
  const char* title;
  const char* subtitle;
  bool log_y;
  Figure figure;
};

Figure repeated(double Repetition::*figure) {
  return [figure](const CaseResult& c) { return c.spread(figure); };
}

std::optional<Spread> point(const std::optional<double>& value) {
  if (!value) return std::nullopt;
  return Spread{*value, *value, *value};
}

std::optional<Spread> median_latency(const CaseResult& c) {
  if (!c.latency || !c.latency->p50_ms) return std::nullopt;
  auto each = spread_of(c.latency->p50_of_each_ms);
  auto median = *c.latency->p50_ms;
  return Spread{median, each ? std::min(each->low, median) : median,
                each ? std::max(each->high, median) : median};
}

const std::vector<Measure>& measures() {
  static const std::vector<Measure> kMeasures{
      {"through", "MB/s passing through", "Written and read at once, closed loop. Up is better.", false,
       repeated(&Repetition::through_mb_s)},
      {"p50", "Median latency, ms", "From due to send until read and verified. Down is better.", true,
       median_latency},
      {"write", "MB/s written", "To the last acknowledgement, nobody reading. Up is better.", false,
       repeated(&Repetition::write_mb_s)},
      {"p99", "99th percentile of latency, ms", "One in a hundred takes longer. Down is better.", true,
       [](const CaseResult& c) { return point(c.latency ? c.latency->p99_ms : std::nullopt); }},
      {"read", "MB/s read", "All that was written, verified. Up is better.", false,
       repeated(&Repetition::read_mb_s)},
      {"write-cpu", "CPU-s per GB written", "Of the client. Down is better.", true,
       repeated(&Repetition::write_cpu_s_gb)},
      {"rate", "Payloads per second written", "The same as MB/s, counted. Up is better.", true,
       repeated(&Repetition::write_per_s)},
      {"read-cpu", "CPU-s per GB read", "Of the client, verifying every byte. Down is better.", true,
       repeated(&Repetition::read_cpu_s_gb)}};
  return kMeasures;
}

// The strategies in the order in which they were asked for, the bare client last; each keeps its place in
// every chart.
std::vector<Strategy> strategies_of(const Results& results) {
  std::vector<Strategy> out;
  for (const auto& c : results.cases) {
    if (std::ranges::find(out, c.measured.strategy) == out.end()) out.push_back(c.measured.strategy);
  }
  std::stable_partition(out.begin(), out.end(), [](const Strategy& s) { return !s.is_raw; });
  return out;
}

// The common ones look alike in every report.
int slot_of(const Strategy& strategy, const std::vector<Strategy>& all) {
  if (strategy.is_raw) return kRawSlot;
  auto fixed = [](const Strategy& s) {
    switch (s.ours) {
      case payload::Strategy::kInline:
        return 0;
      case payload::Strategy::kChunk:
        return s.chunk_bytes == 0 ? 1 : -1;
      case payload::Strategy::kClaim:
        return 2;
      case payload::Strategy::kAuto:
        return 3;
    }
    return -1;
  };
  if (fixed(strategy) >= 0) return fixed(strategy);
  std::vector<int> free{4, 5, 6, 1, 3, 2};
  for (const auto& other : all) {
    if (!other.is_raw && fixed(other) >= 0) std::erase(free, fixed(other));
  }
  std::size_t before = 0;
  for (const auto& other : all) {
    if (other == strategy) break;
    if (!other.is_raw && fixed(other) < 0) ++before;
  }
  return free[before % free.size()];
}

std::string show_figure(double value) {
  if (value >= 1e6) return fmt::format("{:.3g} M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:.3g} k", value / 1e3);
  return value < 1000 ? fmt::format("{:.3g}", value) : fmt::format("{:.0f}", value);
}

Chart chart_of(const Measure& measure, const Results& results, bool video) {
  Chart chart;
  chart.id = fmt::format("{}-{}", video ? "video" : "size", measure.id);
  chart.title = measure.title;
  chart.subtitle = measure.subtitle;
  chart.log_y = measure.log_y;
  chart.show_y = show_figure;
  chart.show_x = [video](double x) {
    return video ? show_seconds_short(Duration(static_cast<Duration::rep>(x * 1e6 + 0.5)))
                 : show_size(static_cast<std::uint64_t>(x));
  };
  auto strategies = strategies_of(results);
  for (const auto& strategy : strategies) {
    ChartSeries series{to_string(strategy), slot_of(strategy, strategies), strategy.is_raw, {}};
    if (strategy.is_raw) series.name = "bare client";
    for (const auto& c : results.cases) {
      if (c.measured.strategy != strategy || c.measured.duration.has_value() != video) continue;
      auto spread = measure.figure(c);
      if (!spread || spread->median <= 0) continue;
      auto x = video ? static_cast<double>(c.measured.duration->count()) / 1e6
                     : static_cast<double>(c.measured.bytes);
      series.points.push_back({x, spread->median, spread->low, spread->high});
    }
    std::ranges::sort(series.points, {}, &ChartPoint::x);
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  return chart;
}

}  // namespace

ReportCharts charts_of(const Results& results) {
  ReportCharts out;
  for (const auto& measure : measures()) {
    if (auto chart = chart_of(measure, results, false); !chart.series.empty()) out.sizes.push_back(chart);
    auto id = std::string_view(measure.id);
    bool is_told_by_size = id == "rate" || id == "read";
    if (auto chart = chart_of(measure, results, true); !is_told_by_size && !chart.series.empty()) {
      out.durations.push_back(chart);
    }
  }
  return out;
}

}  // namespace gopline::bench
