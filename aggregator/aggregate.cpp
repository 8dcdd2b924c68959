#include "aggregator/aggregate.h"

#include "aggregator/read_ahead.h"
#include "aggregator/sink.h"
#include "aggregator/stream_reader.h"
#include "common/media/muxer.h"

namespace gopline::aggregator {
namespace {

class Aggregation {
 public:
  Aggregation(const AggregateOptions& options,
              const std::function<void(const AggregateProgress&)>& on_progress)
      : options_(options), on_progress_(on_progress) {}

  Result<AggregateReport> run(Log& log, const StopToken& stop) {
    // Whatever ends this call early also ends what the reader waits for.
    StopSource reading;
    std::stop_callback pass_on(stop, [&] { reading.request_stop(); });
    struct OnReturn {
      StopSource& source;
      ~OnReturn() { source.request_stop(); }
    };
    GOPLINE_ASSIGN(report_.format, output_format(options_.format, options_.output));
    GOPLINE_ASSIGN(auto reader,
                   StreamReader::open(log, options_.selection, reading.get_token(), options_.blobs));
    progress_.segments_planned = reader->plan().segments();
    progress_.bytes_planned = reader->plan().bytes();
    ReadAhead ahead(*reader, options_.read_ahead_bytes);
    OnReturn stop_reading{reading};
    for (;;) {
      if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "{}: stopped", options_.selection.stream);
      GOPLINE_ASSIGN(auto item, ahead.next());
      if (!item) break;
      GOPLINE_TRY(std::visit([&](const auto& value) { return take(value); }, *item));
    }
    count(ahead.finish());
    if (report_.segments == 0) return fail_nothing();
    GOPLINE_TRY(sink_->finish());
    take_stats();
    return std::move(report_);
  }

 private:
  Result<void> take(const EpochBegin& epoch) {
    if (!sink_) GOPLINE_TRY(make_sink(epoch));
    return sink_->begin_epoch(epoch);
  }

  Result<void> take(const SegmentData& segment) {
    if (auto written = sink_->write(segment); !written) {
      return fail_with_context(fmt::format("{}: epoch {}, segment {}", options_.selection.stream,
                                           segment.headers.epoch, segment.headers.segment),
                               written.error());
    }
    ++report_.segments;
    ++progress_.segments;
    progress_.bytes += segment.bytes.size();
    progress_.time = segment.headers.time;
    if (on_progress_) on_progress_(progress_);
    return {};
  }

  Result<void> take(const Absence& absence) {
    report_.absences.push_back(absence);
    if (sink_) sink_->note_absence();
    return {};
  }

  Result<void> make_sink(const EpochBegin& epoch) {
    SinkOptions options{options_.output, report_.format, options_.muxer_options};
    options.receiver = options_.receiver;
    GOPLINE_ASSIGN(auto opened, open_sink(std::move(options), epoch));
    sink_ = std::move(opened.sink);
    report_.format = std::move(opened.format);
    report_.passed_through = opened.passed_through;
    return {};
  }

  void count(const StreamReaderStats& stats) {
    report_.payload_bytes_read = stats.payload_bytes;
    report_.blob_bytes_read = stats.blob_bytes;
    report_.duplicates = stats.duplicates;
    report_.late = stats.late;
    report_.foreign_records = stats.foreign_records;
  }

  void take_stats() {
    auto stats = sink_->stats();
    report_.packets = stats.packets;
    report_.bytes = stats.bytes;
    report_.skipped_packets = stats.skipped_packets;
    report_.leading_packets = stats.leading_packets;
    report_.epochs = std::move(stats.epochs);
  }

  tl::unexpected<Error> fail_nothing() const {
    const auto& stream = options_.selection.stream;
    if (report_.absences.empty())
      return fail(ErrorCode::kNotFound, "{}: there is no footage in that epoch or range", stream);
    const auto& first = report_.absences.front();
    return fail(ErrorCode::kNotFound, "{}: nothing of it can be read: {} ({})", stream,
                to_string(first.cause), first.reason);
  }

  const AggregateOptions& options_;
  const std::function<void(const AggregateProgress&)>& on_progress_;
  std::unique_ptr<Sink> sink_;
  AggregateReport report_;
  AggregateProgress progress_;
};

}  // namespace

Result<AggregateReport> aggregate(Log& log, const AggregateOptions& options,
                                  const std::function<void(const AggregateProgress&)>& on_progress,
                                  StopToken stop) {
  return Aggregation(options, on_progress).run(log, stop);
}

}  // namespace gopline::aggregator
