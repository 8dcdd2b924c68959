#include "splitter/splitter.h"

#include <sys/stat.h>

#include "common/base/logging.h"
#include "common/base/text.h"
#include "common/media/segment_builder.h"

namespace gopline::splitter {
namespace {

// When a source's first picture was taken, as far as can be told, and by whose clock.
struct CaptureStart {
  Timestamp time;
  CaptureClock clock = CaptureClock::kArrival;
};

CaptureStart capture_start(const SplitOptions& options, const media::SourceInfo& info, const Clock& clock) {
  if (options.start_time) return {*options.start_time, CaptureClock::kGiven};
  if (options.rate == ReadRate::kRealtime || options.source == "-")
    return {clock.now(), CaptureClock::kArrival};
  if (auto created = info.metadata.find("creation_time"); created != info.metadata.end()) {
    // Tools that do not know the time write zero, which reads as 1970 (or 1904).
    auto time = parse_rfc3339(created->second);
    if (time && *time > Timestamp{}) return {*time, CaptureClock::kFile};
  }
  struct stat status {};
  if (stat(options.source.c_str(), &status) == 0) {
    // A recorder writes a file's last byte when the last picture is taken.
    Timestamp modified(std::chrono::seconds(status.st_mtim.tv_sec) + Duration(status.st_mtim.tv_nsec / 1000));
    return {modified - Duration(info.duration_us.value_or(0)), CaptureClock::kFile};
  }
  return {clock.now(), CaptureClock::kArrival};
}

Duration to_duration(std::int64_t ticks, std::int64_t timescale) {
  return Duration(rescale(ticks, {1, timescale}, {1, 1'000'000}));
}

// The way of one source: packets from the queue, through the segmenter and the builder, to the publisher.
class SplitRun {
 public:
  SplitRun(Log& log, const Clock& clock, const SplitOptions& options,
           const std::function<void(const SplitProgress&)>& on_progress, StopToken stop)
      : log_(log), clock_(clock), options_(options), on_progress_(on_progress), stop_(std::move(stop)) {}

  Result<SplitReport> run() {
    GOPLINE_ASSIGN(demuxer_, media::Demuxer::open({options_.source, options_.loop, stop_, {}}));
    report_.skipped = demuxer_->skipped();
    for (const auto& skipped : report_.skipped) {
      log_info(options_.stream, "track {} ({}) is not carried: {}", skipped.source_index, skipped.description,
               skipped.reason);
    }
    progress_.source_size = options_.loop ? std::nullopt : demuxer_->info().size_bytes;
    if (auto duration = demuxer_->info().duration_us; duration && !options_.loop)
      progress_.media_duration = Duration(*duration);
    segmenter_.emplace(demuxer_->tracks(), options_.segmenter);
    if (auto moved = move_packets(); !moved) {
      show_progress();  // what is stored nevertheless
      return tl::unexpected<Error>(std::move(moved.error()));
    }
    return close();
  }

 private:
  Result<void> move_packets() {
    PacketQueue queue(*demuxer_, clock_, options_.rate, options_.read_ahead_bytes);
    std::stop_callback end_reader(stop_, [&queue] { queue.request_stop(); });
    for (bool at_end = false; !at_end;) {
      auto batch = queue.pop();
      at_end = batch.at_end;
      progress_.source_bytes = batch.source_position;
      if (batch.error) report_.source_error = std::move(batch.error);
      for (auto& packet : batch.packets) {
        ++report_.packets;
        if (packet.flags & media::packet_flags::kCorrupt) ++report_.corrupt_packets;
        segmenter_->push(std::move(packet));
        GOPLINE_TRY(publish_ready());
      }
    }
    segmenter_->finish();
    return publish_ready();
  }

  Result<void> publish_ready() {
    while (auto segment = segmenter_->pop()) GOPLINE_TRY(publish(*segment));
    return {};
  }

  Result<void> publish(const media::Segment& segment) {
    if (!publisher_) GOPLINE_TRY(open_epoch(segment));
    GOPLINE_ASSIGN(auto built, builder_->build(segment));
    auto capture_time = zero_ + to_duration(built.first_pts, built.timescale);
    // Not `stop_`: on stopping, what was read is still written, by a log that answers. The writer has
    // `stop_`, and gives up one that does not.
    GOPLINE_TRY(publisher_->publish(built, capture_time, {}));
    progress_.media_time = to_duration(built.start + built.duration, built.timescale);
    show_progress();
    return {};
  }

  // The epoch opens with the first segment: only then are the init and the capture time known.
  Result<void> open_epoch(const media::Segment& first) {
    GOPLINE_ASSIGN(builder_, media::SegmentBuilder::create(demuxer_->tracks(), first));
    auto start = capture_start(options_, demuxer_->info(), clock_);
    zero_ = start.time - to_duration(first.first_pts, first.timescale);
    PublisherOptions publisher;
    publisher.topic_namespace = options_.topic_namespace;
    publisher.stream = options_.stream;
    publisher.source = demuxer_->info();
    publisher.tracks = demuxer_->tracks();
    publisher.init_xxh3 = builder_->init_xxh3();
    publisher.clock = start.clock;
    publisher.sha256 = options_.sha256;
    publisher.stop = stop_;
    publisher.partitions = options_.partitions;
    publisher.segment_retention = options_.segment_retention;
    publisher.payload = options_.payload;
    publisher.blobs = options_.blobs;
    publisher.compress = payload::choose_compression(options_.compression, "video/mp4", {}).compress;
    GOPLINE_ASSIGN(publisher_, Publisher::open(log_, clock_, std::move(publisher)));
    return {};
  }

  Result<SplitReport> close() {
    if (!publisher_) {
      if (report_.source_error) return tl::unexpected<Error>(*report_.source_error);
      if (stop_.stop_requested())
        return fail(ErrorCode::kCancelled, "{}: stopped before the first segment", options_.stream);
      return fail(ErrorCode::kCorrupt, "{}: has no packets", demuxer_->info().name);
    }
    report_.cause = report_.source_error
                        ? EndCause::kSourceLost
                        : (stop_.stop_requested() ? EndCause::kStopped : EndCause::kEndOfInput);
    auto closed = publisher_->close(report_.cause);
    show_progress();
    if (!closed) return tl::unexpected<Error>(std::move(closed.error()));
    report_.epoch = *closed;
    report_.media_time = progress_.media_time;
    return std::move(report_);
  }

  void show_progress() {
    if (!on_progress_ || !publisher_) return;
    auto summary = publisher_->summary();
    progress_.segments = summary.segments;
    progress_.bytes = summary.bytes;
    on_progress_(progress_);
  }

  Log& log_;
  const Clock& clock_;
  const SplitOptions& options_;
  const std::function<void(const SplitProgress&)>& on_progress_;
  StopToken stop_;
  std::unique_ptr<media::Demuxer> demuxer_;
  std::optional<Segmenter> segmenter_;
  std::unique_ptr<media::SegmentBuilder> builder_;
  std::unique_ptr<Publisher> publisher_;
  Timestamp zero_{};  // capture time at timeline zero
  SplitProgress progress_;
  SplitReport report_;
};

}  // namespace

Result<SplitReport> split(Log& log, const Clock& clock, const SplitOptions& options,
                          const std::function<void(const SplitProgress&)>& on_progress, StopToken stop) {
  return SplitRun(log, clock, options, on_progress, std::move(stop)).run();
}

}  // namespace gopline::splitter
