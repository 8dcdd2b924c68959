#include "bench/segments/ways.h"

#include <algorithm>
#include <cmath>

namespace gopline::bench {

Ways::Ways(const Results& results, double plenty) : curves_(curves_of(results)), plenty_(plenty) {
  std::erase_if(curves_, [](const Curve& c) { return c.strategy.is_raw; });
}

const Curve& Ways::best_at(double bytes) const {
  double most = 0, least_cpu = HUGE_VAL;
  bool is_covered = std::ranges::any_of(curves_, [&](const Curve& c) { return c.covers(bytes); });
  auto counts = [&](const Curve& c) { return c.covers(bytes) || !is_covered; };
  for (const auto& curve : curves_) {
    if (counts(curve)) most = std::max(most, curve.through.at(bytes));
  }
  auto passes = [&](const Curve& c) {
    return counts(c) && c.through.at(bytes) >= std::min((1 - kNoise) * most, plenty_);
  };
  for (const auto& curve : curves_) {
    if (passes(curve)) least_cpu = std::min(least_cpu, curve.cpu_at(bytes));
  }
  for (auto kind : {payload::Strategy::kInline, payload::Strategy::kAuto, payload::Strategy::kChunk,
                    payload::Strategy::kClaim}) {
    for (const auto& curve : curves_) {
      bool is_cheap = curve.cpu_at(bytes) <= kCostly * least_cpu;
      if (curve.strategy.ours == kind && passes(curve) && is_cheap) return curve;
    }
  }
  return curves_.front();
}

const Curve* Ways::of(payload::Strategy kind, double bytes) const {
  const Curve* best = nullptr;
  for (const auto& curve : curves_) {
    if (curve.strategy.ours != kind) continue;
    if (!best || curve.through.at(bytes) > best->through.at(bytes)) best = &curve;
  }
  return best;
}

Ways::Chunked Ways::chunked_at(double bytes) const {
  Chunked out;
  for (const auto& curve : curves_) {
    if (curve.strategy.ours != payload::Strategy::kChunk || !curve.covers(bytes)) continue;
    out.is_measured = true;
    out.through = std::max(out.through, curve.through.at(bytes));
    auto p50 = curve.p50.maybe_at(bytes);
    if (p50 && (!out.p50 || *p50 < *out.p50)) out.p50 = p50;
  }
  return out;
}

}  // namespace gopline::bench
