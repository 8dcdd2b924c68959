#include "aggregator/reader_metrics.h"

namespace gopline::aggregator {

using metrics::Counter;
using metrics::Family;
using metrics::Gauge;
using metrics::Histogram;
using metrics::Labels;
using metrics::Registry;

struct AggregatorMetrics::Families {
  Registry& registry;  // for the lines below

  Family<Counter> segments = registry.counters("gopline_reader_segments_total", "Segments put out");
  Family<Counter> bytes = registry.counters("gopline_reader_bytes_total", "Bytes of the segments put out");
  Family<Counter> epochs = registry.counters("gopline_reader_epochs_total", "Epochs that the output joined");
  Family<Histogram> capture_to_read = registry.histograms(
      "gopline_reader_capture_to_read_seconds",
      "From the capture of a piece's first picture to its being read from the log", metrics::delay_buckets());
  Family<Histogram> read_to_output =
      registry.histograms("gopline_reader_read_to_output_seconds",
                          "From a piece's being read to its being put out", metrics::delay_buckets());
  Family<Histogram> capture_to_output = registry.histograms(
      "gopline_reader_capture_to_output_seconds",
      "From the capture of a piece's first picture to its being put out", metrics::delay_buckets());
  Family<Gauge> buffer_bytes =
      registry.gauges("gopline_reader_buffer_bytes", "Bytes of pieces that wait to be due");
  Family<Gauge> buffer_pieces = registry.gauges("gopline_reader_buffer_pieces", "Pieces that wait to be due");
  Family<Gauge> delay = registry.gauges("gopline_reader_delay_seconds",
                                        "How far behind the quickest way from the writer pieces are due");
  Family<Gauge> drift =
      registry.gauges("gopline_reader_clock_drift_ratio",
                      "By how much of itself the writer's clock runs slower than this machine's");
  Family<Counter> gaps = registry.counters("gopline_reader_gaps_total", "Gaps of the output");
  Family<Counter> gap_seconds =
      registry.counters("gopline_reader_gap_seconds_total", "Capture time that these gaps span");
  Family<Counter> duplicates =
      registry.counters("gopline_reader_duplicates_total", "Pieces and chunks that came once more");
  Family<Counter> late =
      registry.counters("gopline_reader_late_total", "Pieces that came too late to be put out");
  Family<Gauge> lag_records = registry.gauges("gopline_reader_lag_records",
                                              "Records of the stream's partition that are not read yet");
  Family<Gauge> lag_seconds = registry.gauges(
      "gopline_reader_lag_seconds", "How long ago the newest record that was read had been written");
};

AggregatorMetrics::AggregatorMetrics(Registry& registry) : families_(new Families{registry}) {}

ReaderMetrics AggregatorMetrics::stream(const std::string& id) const {
  const auto& families = *families_;
  const Labels labels = {{"stream", id}};
  ReaderMetrics stream;
  stream.segments = families.segments.with(labels);
  stream.bytes = families.bytes.with(labels);
  stream.epochs = families.epochs.with(labels);
  stream.capture_to_read = families.capture_to_read.with(labels);
  stream.read_to_output = families.read_to_output.with(labels);
  stream.capture_to_output = families.capture_to_output.with(labels);
  stream.buffer_bytes = families.buffer_bytes.with(labels);
  stream.buffer_pieces = families.buffer_pieces.with(labels);
  stream.delay = families.delay.with(labels);
  stream.drift = families.drift.with(labels);
  stream.gaps = CountersByAbsence(families.gaps, id, kAbsenceCauses);
  stream.gap_seconds = CountersByAbsence(families.gap_seconds, id, kAbsenceCauses);
  stream.duplicates = families.duplicates.with(labels);
  stream.late = families.late.with(labels);
  stream.lag_records = families.lag_records.with(labels);
  stream.lag_seconds = families.lag_seconds.with(labels);
  return stream;
}

}  // namespace gopline::aggregator
