#include "aggregator/mosaic.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "aggregator/follow_stream.h"
#include "aggregator/mosaic/frame_rate.h"
#include "aggregator/mosaic_output.h"
#include "aggregator/stream_reader.h"
#include "aggregator/tile_feed.h"
#include "common/base/logging.h"
#include "common/base/text.h"
#include "common/catalog/stream_directory.h"
#include "common/record/topics.h"

namespace gopline::aggregator {
namespace {

constexpr Duration kLongestNothing = std::chrono::hours(1);
constexpr int kLeastHdHeight = 720;

struct Span {
  Timestamp from, to;
};

// What a plan says of when there is footage.
void add_spans(const ReadPlan& plan, std::vector<Span>& spans) {
  for (const auto& epoch : plan.epochs) {
    for (const auto& [number, segment] : epoch.segments) {
      spans.push_back({segment.time, std::max(segment.end, segment.time)});
    }
  }
}

std::optional<Timestamp> time_of(const std::optional<StreamPoint>& point) {
  if (!point) return std::nullopt;
  const auto* time = std::get_if<Timestamp>(&*point);
  return time ? std::optional(*time) : std::nullopt;
}

class Mosaic {
 public:
  Mosaic(Log& log, const Clock& clock, const MosaicOptions& options, const MosaicEvents& events,
         StopToken stop)
      : log_(log), clock_(clock), options_(options), events_(events), stop_(std::move(stop)) {}

  Result<MosaicReport> run() {
    GOPLINE_TRY(prepare());
    if (!options_.follow) GOPLINE_TRY(open_readers());
    auto from = time_of(options_.streams.front().from), until = time_of(options_.streams.front().to);
    WallOptions wall;
    if (from) wall.from = axis_->instant_of(*from);
    if (options_.follow) {
      until = options_.follow->until;
      wall.give_up = options_.follow->playout.delay.most;
    }
    if (until) wall.until = axis_->instant_of(*until);
    wall_.emplace(options_.streams.size(), *axis_, wall, options_.max_bytes, clock_);
    GOPLINE_ASSIGN(output_, MosaicOutput::open(output_options()));
    // Whatever ends this call early also ends the threads, which are joined before anything else goes.
    std::stop_callback pass_on(stop_, [&] { reading_.request_stop(); });
    GOPLINE_TRY(start_streams());
    auto written = write_all();
    reading_.request_stop();
    threads_.clear();
    GOPLINE_TRY(std::move(written));
    return finish();
  }

 private:
  // ---- what there is

  Result<void> prepare() {
    const auto& wanted = options_.streams;
    GOPLINE_ASSIGN(report_.grid, make_grid(wanted.size(), options_.canvas, options_.layout));
    GOPLINE_ASSIGN(report_.format, media::container_format(options_.format, options_.output));
    auto topics = record::topics_of(wanted.front().topic_namespace);
    GOPLINE_ASSIGN(auto directory, catalog::StreamDirectory::read(log_, topics));
    std::vector<Rational> rates;
    for (const auto& selection : wanted) {
      GOPLINE_ASSIGN(auto state, directory.find(selection.stream));
      report_.streams.emplace_back().stream = selection.stream;
      if (!state.started) continue;
      for (const auto& track : state.started->tracks) {
        if (track.codec.type != media::MediaType::kVideo) continue;
        rates.push_back(track.avg_frame_rate.num > 0 ? track.avg_frame_rate : track.r_frame_rate);
      }
    }
    report_.frame_rate = options_.frame_rate.value_or(frame_rate_for(rates));
    axis_.emplace(report_.frame_rate);
    return {};
  }

  Result<void> open_readers() {
    std::vector<Span> spans;
    for (std::size_t i = 0; i < options_.streams.size(); ++i) {
      auto reader = StreamReader::open(log_, options_.streams[i], reading_.get_token(), options_.blobs);
      if (!reader && reader.error().code != ErrorCode::kNotFound) return tl::unexpected(reader.error());
      if (!reader) {
        report_.streams[i].error = reader.error();
        log_warning(options_.streams[i].stream, "{}", reader.error().message);
        readers_.emplace_back();
        continue;
      }
      add_spans((*reader)->plan(), spans);
      readers_.push_back(std::move(*reader));
    }
    return check_spans(spans);
  }

  // Hours of nothing are a mistake: clocks that are far apart, or an old stream beside a new one.
  Result<void> check_spans(std::vector<Span>& spans) {
    if (spans.empty())
      return fail(ErrorCode::kNotFound, "there is no footage of any of these streams in that range");
    std::ranges::sort(spans, {}, &Span::from);
    auto from = time_of(options_.streams.front().from), until = time_of(options_.streams.front().to);
    auto reached = std::max(spans.front().from, from.value_or(spans.front().from));
    begin_ = reached;
    for (const auto& span : spans) {
      auto begin = until ? std::min(span.from, *until) : span.from;
      if (begin - reached > kLongestNothing) {
        return fail(
            ErrorCode::kInvalidArgument,
            "from {} to {} there is nothing of any of these streams; say which time is meant (--from, "
            "--to)",
            format_rfc3339(reached), format_rfc3339(begin));
      }
      reached = std::max(reached, span.to);
    }
    end_ = until ? std::min(*until, reached) : reached;
    return {};
  }

  media::TileOptions painting() const {
    const auto& grid = report_.grid;
    return {grid.tile.width, grid.tile.height, options_.labels, grid.canvas.height >= kLeastHdHeight};
  }

  MosaicOutputOptions output_options() const {
    MosaicOutputOptions output{options_.output,
                               report_.format,
                               *axis_,
                               report_.grid,
                               painting(),
                               {},
                               options_.sound.has_value(),
                               options_.follow.has_value()};
    for (const auto& one : options_.streams) output.streams.push_back(one.stream);
    return output;
  }

  // ---- a thread for each stream

  Result<void> start_streams() {
    for (std::size_t i = 0; i < options_.streams.size(); ++i) {
      TileFeed::Options feeding{i, *axis_, painting(), options_.sound == i, reading_.get_token()};
      GOPLINE_ASSIGN(auto feed, TileFeed::make(std::move(feeding), *wall_, report_.streams[i]));
      feeds_.push_back(std::move(feed));
    }
    for (std::size_t i = 0; i < options_.streams.size(); ++i) {
      threads_.emplace_back([this, i] { run_stream(i); });
    }
    return {};
  }

  void run_stream(std::size_t i) {
    auto& report = report_.streams[i];
    auto done = options_.follow ? follow(i) : read(i);
    if (auto finished = feeds_[i]->finish(); done && !finished) done = finished;
    if (!done && done.error().code != ErrorCode::kCancelled) {
      log_error(report.stream, "{}; the others go on", done.error().message);
      report.error = done.error();
    }
    wall_->finish(i);
  }

  Result<void> read(std::size_t i) {
    if (!readers_[i]) return {};
    for (;;) {
      GOPLINE_ASSIGN(auto item, readers_[i]->next());
      if (!item) return {};
      GOPLINE_TRY(std::visit([&](const auto& value) { return take(i, value); }, *item));
    }
  }

  Result<void> take(std::size_t i, const EpochBegin& epoch) { return feeds_[i]->begin_epoch(epoch); }
  Result<void> take(std::size_t i, const SegmentData& segment) { return feeds_[i]->write(segment); }
  Result<void> take(std::size_t i, const Absence& absence) {
    feeds_[i]->note_absence();
    state_absence(i, absence);
    return {};
  }

  void state_absence(std::size_t i, const Absence& absence) {
    auto& report = report_.streams[i];
    ++report.gaps;
    report.absences.push_back(absence);
    if (report.absences.size() > kMostMosaicAbsences) report.absences.erase(report.absences.begin());
  }

  Result<void> follow(std::size_t i) {
    FollowOptions following;
    following.aggregate.selection = options_.streams[i];
    following.aggregate.output = options_.output;
    following.aggregate.format = report_.format;
    following.aggregate.blobs = options_.blobs;
    following.until = options_.follow->until;
    following.playout = options_.follow->playout;
    following.sink = feeds_[i].get();
    FollowEvents events;
    events.on_ready = [&] {
      std::lock_guard lock(events_mutex_);
      if (++ready_ == options_.streams.size() && events_.on_ready) events_.on_ready();
    };
    events.on_absence = [&](const Absence& absence) {
      state_absence(i, absence);
      std::lock_guard lock(events_mutex_);
      if (events_.on_absence) events_.on_absence(options_.streams[i].stream, absence);
    };
    auto done = follow_stream(log_, clock_, following, events, reading_.get_token());
    auto found_nothing = [&] { return !done && done.error().code == ErrorCode::kNotFound; };
    if (found_nothing() && following.aggregate.selection.from) {  // it has ended before; it may begin again
      following.aggregate.selection.from.reset();
      done = follow_stream(log_, clock_, following, events, reading_.get_token());
    }
    // A stream that has nothing to show is a tile without a signal.
    if (!done && !found_nothing()) return tl::unexpected(done.error());
    return {};
  }

  // ---- writing

  Result<void> write_all() {
    // A stop ends the streams; where somebody follows, what they have given till then is still written.
    auto stop = options_.follow ? StopToken() : stop_;
    while (auto instant = wall_->next(stop)) {
      GOPLINE_TRY(output_->write(*instant, *wall_));
      if (!events_.on_progress) continue;
      MosaicProgress progress{output_->frames(), output_->bytes(), axis_->time_of(instant->instant), {}};
      if (end_ > begin_) {
        auto part = static_cast<double>((progress.time - begin_).count()) /
                    static_cast<double>((end_ - begin_).count());
        progress.fraction = std::clamp(part, 0.0, 1.0);
      }
      events_.on_progress(progress);
    }
    return {};
  }

  Result<MosaicReport> finish() {
    report_.interrupted = stop_.stop_requested();
    if (report_.interrupted && !options_.follow) return fail(ErrorCode::kCancelled, "stopped");
    report_.frames = output_->frames();
    if (report_.frames == 0) return fail_nothing();
    GOPLINE_TRY(output_->finish(*wall_));
    report_.from = axis_->time_of(output_->first());
    report_.to = axis_->time_of(output_->first() + static_cast<std::int64_t>(report_.frames));
    report_.bytes = output_->bytes();
    report_.lost_sound = wall_->lost_sound();
    for (std::size_t i = 0; i < report_.streams.size(); ++i) report_.streams[i].tile = wall_->stats(i);
    return std::move(report_);
  }

  tl::unexpected<Error> fail_nothing() const {
    if (report_.interrupted) return fail(ErrorCode::kCancelled, "stopped before anything came");
    for (const auto& stream : report_.streams) {
      if (stream.error) return fail_with_context("nothing could be shown", *stream.error);
    }
    return fail(ErrorCode::kNotFound, "nothing of these streams could be shown");
  }

  Log& log_;
  const Clock& clock_;
  const MosaicOptions& options_;
  const MosaicEvents& events_;
  StopToken stop_;
  MosaicReport report_;
  std::optional<Axis> axis_;
  std::optional<SharedWall> wall_;
  std::unique_ptr<MosaicOutput> output_;
  std::vector<std::unique_ptr<StreamReader>> readers_;  // nullptr: there is nothing of it
  Timestamp begin_{}, end_{};                           // of what is there, for progress
  StopSource reading_;
  std::mutex events_mutex_;
  std::size_t ready_ = 0;
  std::vector<std::unique_ptr<TileFeed>> feeds_;
  std::vector<std::jthread> threads_;  // goes first
};

}  // namespace

bool MosaicReport::whole() const {
  return lost_sound == 0 && std::ranges::all_of(streams, &MosaicStream::whole);
}

Result<MosaicReport> make_mosaic(Log& log, const Clock& clock, const MosaicOptions& options,
                                 const MosaicEvents& events, StopToken stop) {
  return Mosaic(log, clock, options, events, std::move(stop)).run();
}

}  // namespace gopline::aggregator
