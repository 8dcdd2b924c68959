#include "bench/segments/curves.h"

#include <algorithm>
#include <cmath>

namespace gopline::bench {

void SizeCurve::add(double bytes, double value) {
  points_.emplace_back(bytes, value);
}

double SizeCurve::at(double bytes) const {
  return maybe_at(bytes).value_or(0);
}

std::optional<double> SizeCurve::maybe_at(double bytes) const {
  if (points_.empty()) return std::nullopt;
  if (bytes <= points_.front().first) return points_.front().second;
  for (std::size_t i = 1; i < points_.size(); ++i) {
    auto [x1, y1] = points_[i - 1];
    auto [x2, y2] = points_[i];
    if (bytes > x2) continue;
    auto part = x2 > x1 ? std::log(bytes / x1) / std::log(x2 / x1) : 1;
    return y1 + part * (y2 - y1);
  }
  return points_.back().second;
}

std::vector<Curve> curves_of(const Results& results) {
  bool has_random = std::ranges::any_of(
      results.cases, [](const CaseResult& c) { return !c.measured.duration && !c.repetitions.empty(); });
  std::vector<const CaseResult*> measured;
  for (const auto& c : results.cases) {
    if (!c.repetitions.empty() && c.measured.duration.has_value() != has_random) measured.push_back(&c);
  }
  std::ranges::stable_sort(measured, {}, [](const CaseResult* c) { return c->measured.bytes; });
  std::vector<Curve> curves;
  for (const auto* c : measured) {
    auto curve = std::ranges::find(curves, c->measured.strategy, &Curve::strategy);
    if (curve == curves.end()) {
      curves.emplace_back().strategy = c->measured.strategy;
      curve = curves.end() - 1;
    }
    auto bytes = static_cast<double>(c->measured.bytes);
    curve->sizes.push_back(bytes);
    curve->through.add(bytes, c->spread(&Repetition::through_mb_s)->median);
    curve->write_cpu.add(bytes, c->spread(&Repetition::write_cpu_s_gb)->median);
    curve->read_cpu.add(bytes, c->spread(&Repetition::read_cpu_s_gb)->median);
    if (c->latency && c->latency->p50_ms) curve->p50.add(bytes, *c->latency->p50_ms);
    if (c->latency && c->latency->p99_ms) curve->p99.add(bytes, *c->latency->p99_ms);
  }
  return curves;
}

}  // namespace gopline::bench
