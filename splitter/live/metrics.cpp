#include "splitter/live/metrics.h"

#include <mutex>

namespace gopline::splitter {

using metrics::Counter;
using metrics::Family;
using metrics::Gauge;
using metrics::Registry;

struct StateGauge::Shared {
  std::mutex mutex;  // two changes at once could leave both states at 1
  std::array<Gauge, kSourceStates.size()> gauges;
};

StateGauge::StateGauge(const Family<Gauge>& family, const std::string& stream)
    : shared_(std::make_shared<Shared>()) {
  for (auto state : kSourceStates) {
    shared_->gauges[static_cast<std::size_t>(state)] =
        family.with({{"stream", stream}, {"state", std::string(to_string(state))}});
  }
  set(SourceState::kConnecting);
}

void StateGauge::set(SourceState state) const {
  if (!shared_) return;
  std::lock_guard lock(shared_->mutex);
  auto now = static_cast<std::size_t>(state);
  shared_->gauges[now].set(1);  // first, so that no scrape sees a source without a state
  for (std::size_t other = 0; other < shared_->gauges.size(); ++other) {
    if (other != now) shared_->gauges[other].set(0);
  }
}

struct LiveMetrics::Families {
  Registry& registry;  // for the lines below

  Family<Gauge> state =
      registry.gauges("gopline_source_state", "1 for what the source is doing now, 0 for the rest");
  Family<Counter> reconnects =
      registry.counters("gopline_source_reconnects_total", "Times the source was connected to again");
  Family<Counter> lost_packets = registry.counters(
      "gopline_source_lost_packets_total", "RTP packets that never came, as the numbers of the others tell");
  Family<Gauge> clock_offset = registry.gauges("gopline_source_clock_offset_seconds",
                                               "How far the source's clock is ahead of this machine's");
  Family<Gauge> media_drift = registry.gauges("gopline_source_media_drift_seconds",
                                              "What media time has gained on capture time in this epoch");
  Family<Gauge> spill_bytes = registry.gauges("gopline_spill_bytes", "Bytes that wait for the log");
  Family<Gauge> spill_age = registry.gauges("gopline_spill_age_seconds",
                                            "How long the oldest of these has waited; 0 when none waits");
};

LiveMetrics::LiveMetrics(Registry& registry) : families_(new Families{registry}) {}

SourceMetrics LiveMetrics::source(const std::string& stream) const {
  const auto& families = *families_;
  const metrics::Labels labels = {{"stream", stream}};
  SourceMetrics source;
  source.state = StateGauge(families.state, stream);
  source.reconnects = CountersByOutage(families.reconnects, stream, kOutageCauses);
  source.lost_packets = families.lost_packets.with(labels);
  source.clock_offset = families.clock_offset.with(labels);
  source.media_drift = families.media_drift.with(labels);
  source.spill_bytes = families.spill_bytes.with(labels);
  source.spill_age = families.spill_age.with(labels);
  return source;
}

}  // namespace gopline::splitter
