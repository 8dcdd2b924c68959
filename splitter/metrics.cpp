#include "splitter/metrics.h"

namespace gopline::splitter {

using metrics::Counter;
using metrics::Family;
using metrics::Histogram;
using metrics::Labels;
using metrics::Registry;

std::string_view to_string(DropCause cause) {
  switch (cause) {
    case DropCause::kOverBytes:
      return "over-bytes";
    case DropCause::kOverAge:
      return "over-age";
    case DropCause::kRefused:
      return "refused";
    case DropCause::kCorrupt:
      return "corrupt";
  }
  return "";
}

struct SplitterMetrics::Families {
  Registry& registry;  // for the lines below

  Family<Counter> packets = registry.counters("gopline_source_packets_total", "Packets read");
  Family<Counter> packet_bytes = registry.counters("gopline_source_bytes_total", "Bytes of the packets read");
  Family<Counter> corrupt_packets = registry.counters("gopline_source_corrupt_packets_total",
                                                      "Packets that the source itself says are damaged");

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
  stream.packets = families.packets.with(labels);
  stream.packet_bytes = families.packet_bytes.with(labels);
  stream.corrupt_packets = families.corrupt_packets.with(labels);
  stream.epochs = families.epochs.with(labels);
  stream.segments = families.segments.with(labels);
  stream.segment_bytes = families.segment_bytes.with(labels);
  stream.capture_to_read = families.capture_to_read.with(labels);
  stream.read_to_acknowledged = families.read_to_acknowledged.with(labels);
  stream.capture_to_acknowledged = families.capture_to_acknowledged.with(labels);
  stream.gaps = CountersByGap(families.gaps, id, kGapCauses);
  stream.gap_seconds = CountersByGap(families.gap_seconds, id, kGapCauses);
  stream.dropped_gops = CountersByDrop(families.dropped_gops, id, kDropCauses);
  stream.dropped_bytes = CountersByDrop(families.dropped_bytes, id, kDropCauses);
  return stream;
}

}  // namespace gopline::splitter
