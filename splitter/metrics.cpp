#include "splitter/metrics.h"

#include <mutex>

namespace gopline::splitter {

using metrics::Counter;
using metrics::Family;
using metrics::Gauge;
using metrics::Histogram;
using metrics::Labels;
using metrics::Registry;

std::string_view to_string(SourceState state) {
  switch (state) {
    case SourceState::kConnecting:
      return "connecting";
    case SourceState::kLive:
      return "live";
    case SourceState::kWaiting:
      return "waiting";
    case SourceState::kStopped:
      return "stopped";
  }
  return "";
}

std::string_view to_string(ReconnectCause cause) {
  switch (cause) {
    case ReconnectCause::kEnded:
      return "ended";
    case ReconnectCause::kHung:
      return "hung";
    case ReconnectCause::kRefused:
      return "refused";
    case ReconnectCause::kUnreachable:
      return "unreachable";
    case ReconnectCause::kUnauthorized:
      return "unauthorized";
    case ReconnectCause::kFailed:
      return "failed";
  }
  return "";
}

std::string_view to_string(DropCause cause) {
  switch (cause) {
    case DropCause::kSpillBytes:
      return "spill-bytes";
    case DropCause::kSpillAge:
      return "spill-age";
    case DropCause::kRefused:
      return "refused";
    case DropCause::kCorrupt:
      return "corrupt";
  }
  return "";
}

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
  shared_->gauges[now].set(1);  // first, so that no scrape sees a stream without a state
  for (std::size_t other = 0; other < shared_->gauges.size(); ++other) {
    if (other != now) shared_->gauges[other].set(0);
  }
}

struct SplitterMetrics::Families {
  Registry& registry;  // for the lines below

  Family<Gauge> state =
      registry.gauges("gopline_source_state", "1 for what the source is doing now, 0 for the rest");
  Family<Counter> packets = registry.counters("gopline_source_packets_total", "Packets read");
  Family<Counter> packet_bytes = registry.counters("gopline_source_bytes_total", "Bytes of the packets read");
  Family<Counter> corrupt_packets = registry.counters("gopline_source_corrupt_packets_total",
                                                      "Packets that the source itself says are damaged");
  Family<Counter> reconnects =
      registry.counters("gopline_source_reconnects_total", "Times the source was connected to again");
  Family<Gauge> clock_offset = registry.gauges("gopline_source_clock_offset_seconds",
                                               "How far the source's clock is ahead of this machine's");
  Family<Gauge> media_drift = registry.gauges("gopline_source_media_drift_seconds",
                                              "What media time has gained on capture time in this epoch");

  Family<Counter> epochs = registry.counters("gopline_epochs_total", "Epochs begun");
  Family<Counter> segments =
      registry.counters("gopline_segments_total", "Segments that the log acknowledged");
  Family<Counter> segment_bytes = registry.counters("gopline_segment_bytes_total", "Bytes of these segments");
  Family<Histogram> capture_to_read =
      registry.histograms("gopline_capture_to_read_seconds", "From a packet's capture to its being read",
                          metrics::delay_buckets());
  Family<Histogram> read_to_acknowledged = registry.histograms(
      "gopline_read_to_acknowledged_seconds",
      "From the reading of a segment's first packet to its acknowledgement", metrics::delay_buckets());
  Family<Histogram> capture_to_acknowledged = registry.histograms(
      "gopline_capture_to_acknowledged_seconds",
      "From the capture of a segment's first packet to its acknowledgement", metrics::delay_buckets());
  Family<Gauge> spill_bytes = registry.gauges("gopline_spill_bytes", "Bytes that wait on disk for the log");
  Family<Gauge> spill_age = registry.gauges("gopline_spill_age_seconds",
                                            "How long the oldest of these has waited; 0 when none waits");

  Family<Counter> gaps = registry.counters("gopline_gaps_total", "Gaps stated in the log");
  Family<Counter> gap_seconds =
      registry.counters("gopline_gap_seconds_total", "Capture time that these gaps span");
  Family<Counter> dropped_gops =
      registry.counters("gopline_dropped_gops_total", "Groups of pictures that were read and not stored");
  Family<Counter> dropped_bytes =
      registry.counters("gopline_dropped_bytes_total", "Bytes of packets that were read and not stored");
};

SplitterMetrics::SplitterMetrics(Registry& registry) : families_(new Families{registry}) {}

StreamMetrics SplitterMetrics::stream(const std::string& id) const {
  const auto& families = *families_;
  const Labels labels = {{"stream", id}};
  StreamMetrics stream;
  stream.state = StateGauge(families.state, id);
  stream.packets = families.packets.with(labels);
  stream.packet_bytes = families.packet_bytes.with(labels);
  stream.corrupt_packets = families.corrupt_packets.with(labels);
  stream.reconnects = CountersByReconnect(families.reconnects, id, kReconnectCauses);
  stream.clock_offset = families.clock_offset.with(labels);
  stream.media_drift = families.media_drift.with(labels);
  stream.epochs = families.epochs.with(labels);
  stream.segments = families.segments.with(labels);
  stream.segment_bytes = families.segment_bytes.with(labels);
  stream.capture_to_read = families.capture_to_read.with(labels);
  stream.read_to_acknowledged = families.read_to_acknowledged.with(labels);
  stream.capture_to_acknowledged = families.capture_to_acknowledged.with(labels);
  stream.spill_bytes = families.spill_bytes.with(labels);
  stream.spill_age = families.spill_age.with(labels);
  stream.gaps = CountersByGap(families.gaps, id, kGapCauses);
  stream.gap_seconds = CountersByGap(families.gap_seconds, id, kGapCauses);
  stream.dropped_gops = CountersByDrop(families.dropped_gops, id, kDropCauses);
  stream.dropped_bytes = CountersByDrop(families.dropped_bytes, id, kDropCauses);
  return stream;
}

}  // namespace gopline::splitter
