#include "aggregator/recorder/recorder_metrics.h"

namespace gopline::aggregator {

using metrics::Counter;
using metrics::Family;
using metrics::Gauge;
using metrics::Histogram;
using metrics::Labels;
using metrics::Registry;

namespace {

double in_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

struct RecorderMetrics::Families {
  Registry& registry;  // for the lines below

  Family<Counter> segments =
      registry.counters("gopline_recorder_segments_total", "Segments written to unfinished files");
  Family<Histogram> capture_to_file =
      registry.histograms("gopline_recorder_capture_to_file_seconds",
                          "From the capture of a segment's first picture to its being written to a file",
                          metrics::delay_buckets());
  Family<Counter> files = registry.counters("gopline_recorder_files_total", "Finished files");
  Family<Counter> bytes = registry.counters("gopline_recorder_bytes_total", "Bytes of finished files");
  Family<Counter> footage =
      registry.counters("gopline_recorder_footage_seconds_total", "Capture time in finished files");
  Family<Counter> gaps = registry.counters("gopline_recorder_gaps_total", "Gaps told beside files");
  Family<Counter> gap_seconds =
      registry.counters("gopline_recorder_gap_seconds_total", "Capture time that these gaps span");
  Family<Gauge> behind =
      registry.gauges("gopline_recorder_behind", "1: the stream could not be recorded, and is tried again");
  Counter removed_files =
      registry.counters("gopline_recorder_removed_files_total", "Recordings removed by retention").with({});
  Counter removed_bytes =
      registry.counters("gopline_recorder_removed_bytes_total", "Bytes of recordings removed by retention")
          .with({});
};

RecorderMetrics::RecorderMetrics(Registry& registry) : families_(new Families{registry}) {}

RecordedStreamMetrics RecorderMetrics::stream(const std::string& id) const {
  const auto& families = *families_;
  const Labels labels = {{"stream", id}};
  RecordedStreamMetrics stream;
  stream.segments = families.segments.with(labels);
  stream.capture_to_file = families.capture_to_file.with(labels);
  stream.files = families.files.with(labels);
  stream.bytes = families.bytes.with(labels);
  stream.footage_seconds = families.footage.with(labels);
  stream.gaps = CountersByAbsence(families.gaps, id, kAbsenceCauses);
  stream.gap_seconds = CountersByAbsence(families.gap_seconds, id, kAbsenceCauses);
  stream.behind = families.behind.with(labels);
  return stream;
}

void RecorderMetrics::removed(std::int64_t files, std::uint64_t bytes) const {
  families_->removed_files.add(static_cast<double>(files));
  families_->removed_bytes.add(static_cast<double>(bytes));
}

void RecordedStreamMetrics::finished(const Recording& recording) const {
  for (const auto& gap : recording.gaps) {
    gaps[gap.cause].add();
    if (gap.from && gap.to) gap_seconds[gap.cause].add(in_seconds(*gap.to - *gap.from));
  }
  if (recording.file.empty()) return;
  files.add();
  bytes.add(static_cast<double>(recording.bytes));
  footage_seconds.add(in_seconds(recording.to - recording.from));
}

}  // namespace gopline::aggregator
