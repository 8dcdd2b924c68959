#include "splitter/images/split_images.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/base/logging.h"
#include "common/media/frames/still_image.h"
#include "common/media/segment_builder.h"
#include "splitter/images/picture_times.h"
#include "splitter/source_file.h"

namespace gopline::splitter {
namespace {

constexpr Rational kTimeBase{1, 90'000};  // usual rates have whole numbers of ticks between pictures
constexpr std::int64_t kLongestTicks = std::numeric_limits<std::int32_t>::max();  // trun has 32 bits
// Of a picture that nothing follows yet: the next one may come at any time, and must not come before its end.
constexpr Duration kLongestGuess = std::chrono::milliseconds(100);

std::int64_t ticks_of(Duration duration) {
  return rescale(duration.count(), kMicroseconds, kTimeBase);
}

// A picture on its way: how long it lasts is known with the next one.
struct ReadPicture {
  Buffer file;
  media::CodecParameters codec;
  Timestamp time;
};

// Pictures that could not be read, in a row.
struct Hole {
  Timestamp from;
  std::uint64_t bytes = 0;
};

// One epoch: pictures of one kind.
class ImageEpoch {
 public:
  ImageEpoch(media::CodecParameters codec, std::optional<Rational> rate) {
    track_.id = 1;
    track_.time_base = kTimeBase;
    track_.codec = std::move(codec);
    if (rate) track_.avg_frame_rate = track_.r_frame_rate = *rate;
  }

  const media::Track& track() const { return track_; }

  // Whether the epoch's track is one of such pictures. Another size is another track: decoders take a JPEG
  // that is lower than their track says for half of an interlaced one.
  bool takes(const media::CodecParameters& codec) const {
    return codec.codec == track_.codec.codec && codec.width == track_.codec.width &&
           codec.height == track_.codec.height;
  }

  // The picture's place, up to `until`: ticks grow, and never begin before the picture in front has ended.
  // Where the clock went back by much the timeline goes on from where it was.
  media::Segment place(const ReadPicture& picture, Timestamp until) {
    media::Segment segment;
    if (!zero_) zero_ = picture.time;
    if (newest_ && picture.time < *newest_) {
      segment.discontinuity = true;
      zero_ = picture.time - Duration(rescale(end_, kTimeBase, kMicroseconds));
    }
    auto at = std::max(ticks_of(picture.time - *zero_), end_);
    auto duration = std::clamp<std::int64_t>(ticks_of(until - *zero_) - at, 1, kLongestTicks);
    media::TimedPacket timed;
    timed.packet.pts = timed.packet.dts = timed.dts = timed.pts = timed.time = at;
    timed.duration = timed.packet.duration = duration;
    timed.packet.flags = media::packet_flags::kKey;
    timed.packet.data = picture.file;
    segment.sap = 1;
    segment.start = segment.first_pts = at;
    segment.duration = duration;
    segment.timescale = kTimeBase.den;
    segment.sample_bytes = picture.file.size();
    newest_ = picture.time;
    end_ = at + duration;
    segment.runs.push_back({0, 0, {std::move(timed)}});
    return segment;
  }

  std::unique_ptr<media::SegmentBuilder> builder;
  std::unique_ptr<Publisher> publisher;

 private:
  media::Track track_;
  std::optional<Timestamp> zero_, newest_;
  std::int64_t end_ = 0;  // ticks
};

// Pictures from files, one after the other, to the publisher.
class ImageRun {
 public:
  ImageRun(Log& log, const Clock& clock, const SplitOptions& options, const ImageOptions& images,
           const std::function<void(const SplitProgress&)>& on_progress, StopToken stop)
      : log_(log),
        clock_(clock),
        options_(options),
        images_(images),
        on_progress_(on_progress),
        stop_(std::move(stop)),
        times_(options.start_time, images.rate) {}

  Result<SplitReport> run() {
    auto taken = images_.follow ? follow() : take_all();
    if (taken) taken = settle();
    if (!taken) {
      if (epoch_ && taken.error().code == ErrorCode::kNotFound) {
        report_.source_error = std::move(taken.error());  // the folder has gone; what came before is stored
        GOPLINE_TRY(settle());
      } else {
        show_progress();
        return tl::unexpected<Error>(std::move(taken.error()));
      }
    }
    return close();
  }

 private:
  Result<void> take_all() {
    GOPLINE_ASSIGN(auto names, names_of(images_.files));
    if (names.empty()) return fail(ErrorCode::kNotFound, "{}: there are no pictures there", options_.source);
    for (const auto& name : names) {
      if (stop_.stop_requested()) return {};
      GOPLINE_TRY(take(images_.files.folder + "/" + name));
    }
    return {};
  }

  Result<void> follow() {
    GOPLINE_ASSIGN(auto folder, PictureFolder::open(images_.files, images_.folder));
    while (!stop_.stop_requested()) {
      GOPLINE_ASSIGN(auto paths, folder->next(stop_));
      for (const auto& path : paths) {
        if (stop_.stop_requested()) break;
        GOPLINE_TRY(take(path));
      }
      GOPLINE_TRY(settle());  // nobody knows when another one comes
    }
    return {};
  }

  Result<void> take(const std::string& path) {
    std::uint64_t size = 0;
    auto picture = read(path, size);
    if (!picture) return note_broken(path, size, picture.error());
    GOPLINE_TRY(publish_held(picture->time));
    held_ = std::move(*picture);
    return {};
  }

  Result<ReadPicture> read(const std::string& path, std::uint64_t& size) {
    GOPLINE_ASSIGN(auto file, SourceFile::open(path));
    size = file.size();
    if (size > images_.most_bytes)
      return fail(ErrorCode::kTooLarge, "is larger than the {} bytes that a picture may have",
                  images_.most_bytes);
    GOPLINE_ASSIGN(auto bytes, file.read(0, size));
    GOPLINE_ASSIGN(auto image, media::read_still_image(bytes));
    return ReadPicture{std::move(bytes), std::move(image.codec),
                       times_.next(image.taken.value_or(file.modified()))};
  }

  // Whatever is wrong with a file, the others are taken.
  Result<void> note_broken(const std::string& path, std::uint64_t size, const Error& error) {
    bool names_it = error.message.find(path) != std::string::npos;
    log_warning(options_.stream, "{}{}: passed over", names_it ? "" : path + ": ", error.message);
    ++report_.broken_pictures;
    auto time = times_.skip();
    if (held_ && time) GOPLINE_TRY(publish_held(*time));
    if (hole_) {
      hole_->bytes += size;
    } else if (time && epoch_) {
      hole_ = Hole{*time, size};
    }
    return {};
  }

  // Nothing follows for now.
  Result<void> settle() {
    if (!held_) return {};
    return publish_held(held_->time + lasts_);
  }

  Result<void> publish_held(Timestamp until) {
    if (!held_) return {};
    auto picture = std::move(*held_);
    held_.reset();
    if (until > picture.time) lasts_ = std::min<Duration>(until - picture.time, kLongestGuess);
    return publish(picture, until);
  }

  Result<void> publish(const ReadPicture& picture, Timestamp until) {
    if (epoch_ && !epoch_->takes(picture.codec)) GOPLINE_TRY(end_epoch(EndCause::kEndOfInput));
    bool is_first = !epoch_;
    if (is_first) epoch_.emplace(picture.codec, images_.rate);
    auto segment = epoch_->place(picture, until);
    if (is_first) GOPLINE_TRY(open_epoch(segment));
    if (hole_) {
      GOPLINE_TRY(epoch_->publisher->gap(GapCause::kCorrupt, hole_->from, std::max(hole_->from, picture.time),
                                         hole_->bytes));
      hole_.reset();
    }
    GOPLINE_ASSIGN(auto built, epoch_->builder->build(segment));
    GOPLINE_TRY(epoch_->publisher->publish(built, picture.time, {}));
    ++report_.packets;
    progress_.source_bytes += picture.file.size();
    progress_.media_time += Duration(rescale(segment.duration, kTimeBase, kMicroseconds));
    show_progress();
    return {};
  }

  Result<void> open_epoch(const media::Segment& first) {
    std::vector<media::Track> tracks{epoch_->track()};
    auto epoch = std::move(*epoch_);
    epoch_.reset();  // unless it opens
    GOPLINE_ASSIGN(epoch.builder, media::SegmentBuilder::create(tracks, first));
    PublisherOptions publisher;
    publisher.topic_namespace = options_.topic_namespace;
    publisher.stream = options_.stream;
    publisher.source.name = options_.source;
    publisher.source.format = "image2";
    publisher.source.start_time_us = 0;
    publisher.tracks = std::move(tracks);
    publisher.init_xxh3 = epoch.builder->init_xxh3();
    publisher.clock = options_.start_time ? CaptureClock::kGiven : CaptureClock::kFile;
    publisher.sha256 = options_.sha256;
    publisher.stop = stop_;
    publisher.partitions = options_.partitions;
    publisher.segment_retention = options_.segment_retention;
    publisher.payload = options_.payload;
    publisher.blobs = options_.blobs;
    publisher.compress = payload::choose_compression(options_.compression, "video/mp4", {}).compress;
    GOPLINE_ASSIGN(epoch.publisher, Publisher::open(log_, clock_, std::move(publisher)));
    epoch_ = std::move(epoch);
    return {};
  }

  Result<void> end_epoch(EndCause cause) {
    if (hole_) {
      GOPLINE_TRY(
          epoch_->publisher->gap(GapCause::kCorrupt, hole_->from, hole_->from + lasts_, hole_->bytes));
      hole_.reset();
    }
    auto closed = epoch_->publisher->close(cause);
    GOPLINE_TRY(closed);
    bool is_first = finished_.segments == 0;
    if (is_first) finished_.first_ordinal = closed->first_ordinal;
    add_epoch(finished_, *closed);
    ++epochs_;
    epoch_.reset();
    return {};
  }

  Result<SplitReport> close() {
    report_.cause = report_.source_error
                        ? EndCause::kSourceLost
                        : (stop_.stop_requested() ? EndCause::kStopped : EndCause::kEndOfInput);
    if (epoch_) GOPLINE_TRY(end_epoch(report_.cause));
    if (epochs_ == 0 && stop_.stop_requested())
      return fail(ErrorCode::kCancelled, "{}: stopped before the first picture", options_.stream);
    if (epochs_ == 0)
      return fail(ErrorCode::kCorrupt, "{}: none of its {} pictures can be read", options_.source,
                  report_.broken_pictures);
    report_.epoch = std::move(finished_);
    report_.epochs = epochs_;
    report_.media_time = progress_.media_time;
    return std::move(report_);
  }

  void show_progress() {
    if (!on_progress_) return;
    auto summary = epoch_ && epoch_->publisher ? epoch_->publisher->summary() : EpochSummary{};
    progress_.segments = finished_.segments + summary.segments;
    progress_.bytes = finished_.bytes + summary.bytes;
    on_progress_(progress_);
  }

  Log& log_;
  const Clock& clock_;
  const SplitOptions& options_;
  const ImageOptions& images_;
  const std::function<void(const SplitProgress&)>& on_progress_;
  const StopToken stop_;
  PictureTimes times_;
  std::optional<ImageEpoch> epoch_;
  std::optional<ReadPicture> held_;
  std::optional<Hole> hole_;
  Duration lasts_ = kLongestGuess;  // a picture that nothing follows
  EpochSummary finished_;           // of the epochs that have ended
  std::int64_t epochs_ = 0;
  SplitProgress progress_;
  SplitReport report_;
};

}  // namespace

Result<SplitReport> split_images(Log& log, const Clock& clock, const SplitOptions& options,
                                 const ImageOptions& images,
                                 const std::function<void(const SplitProgress&)>& on_progress,
                                 StopToken stop) {
  return ImageRun(log, clock, options, images, on_progress, std::move(stop)).run();
}

}  // namespace gopline::splitter
