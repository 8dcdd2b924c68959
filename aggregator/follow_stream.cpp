#include "aggregator/follow_stream.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "aggregator/lag_probe.h"
#include "aggregator/playout_absence.h"
#include "aggregator/read_plan.h"
#include "aggregator/record_feed.h"
#include "aggregator/sink.h"
#include "common/base/logging.h"
#include "common/catalog/stream_directory.h"
#include "common/media/muxer.h"
#include "common/record/topics.h"

namespace gopline::aggregator {
namespace {

constexpr Duration kShortestWait =
    std::chrono::milliseconds(1);  // 0 would ask for an answer, however long it takes
constexpr Duration kLongestWait = std::chrono::milliseconds(500);
constexpr std::size_t kPollBytes = 8 << 20;
constexpr auto kLagEvery = std::chrono::seconds(2);

class Follower {
 public:
  Follower(Log& log, const Clock& clock, const FollowOptions& options, const FollowEvents& events,
           StopToken stop)
      : log_(log),
        clock_(clock),
        options_(options),
        selection_(options.aggregate.selection),
        events_(events),
        stop_(std::move(stop)),
        topics_(record::topics_of(selection_.topic_namespace)),
        playout_(playout_options(options)),
        meter_(options.metrics),
        feed_(playout_, feed_options(), stop_) {}

  Result<FollowReport> run() {
    GOPLINE_ASSIGN(report_.output.format,
                   output_format(options_.aggregate.format, options_.aggregate.output));
    GOPLINE_TRY(begin_reading());
    std::stop_callback wake(stop_, [&] { reader_->wakeup(); });
    LagProbe probe(log_, where_, kLagEvery);
    if (events_.on_ready) events_.on_ready();
    while (!stop_.stop_requested() && !done_) {
      GOPLINE_TRY(play_what_is_due());
      if (done_) break;
      GOPLINE_ASSIGN(bool is_past, is_past_the_end());
      if (is_past) break;
      GOPLINE_TRY(read_or_wait());
      GOPLINE_TRY(measure(probe));
    }
    report_.interrupted = stop_.stop_requested();
    return finish();
  }

 private:
  static PlayoutOptions playout_options(const FollowOptions& options) {
    auto playout = options.playout;
    bool is_kept = !options.sink && !options.aggregate.receiver && is_file(options.aggregate.output);
    playout.paced = options.paced.value_or(!is_kept);
    return playout;
  }

  RecordFeedOptions feed_options() {
    RecordFeedOptions options;
    options.stream = selection_.stream;
    options.blobs = options_.aggregate.blobs;
    options.find_epoch = [this](EpochNumber number) { return find_epoch(number); };
    return options;
  }

  // ---- where to begin

  Result<void> begin_reading() {
    LogReaderOptions reading;
    reading.max_poll_bytes = kPollBytes;
    reading.verify_values = false;  // every chunk's own hash is checked
    GOPLINE_ASSIGN(reader_, log_.make_reader(std::move(reading)));
    GOPLINE_ASSIGN(directory_, catalog::StreamDirectory::read(log_, topics_));
    GOPLINE_ASSIGN(auto state, directory_->find(selection_.stream));
    where_ = {topics_.segments, state.partition};
    auto start = StartPosition::end();
    if (selection_.from) {
      GOPLINE_ASSIGN(start, find_start());
    } else {
      // The end as of now, in so many words: what is written from here on is not missed.
      GOPLINE_ASSIGN(auto kept, log_.offsets(where_));
      start = StartPosition::at(kept.end);
      // Whatever began before that is named by now; later a newer one may have taken its place.
      GOPLINE_TRY(directory_->refresh());
      GOPLINE_ASSIGN(state, directory_->find(selection_.stream));
      if (state.started) feed_.know(record::StartedEpoch{*state.epoch, state.epoch_offset, *state.started});
    }
    return reader_->assign({{where_, start}});
  }

  // The first chunk of the first segment that `from` asks for.
  Result<StartPosition> find_start() {
    auto wanted = selection_;
    wanted.epochs = EpochSelection::all();
    wanted.to.reset();
    GOPLINE_ASSIGN(auto plan, make_plan(log_, wanted, stop_));
    std::optional<StartPosition> start;
    for (auto& epoch : plan.epochs) {
      bool late = !epoch.started || epoch.started->marker.late;
      if (late || epoch.segments.empty()) continue;
      if (!start) {
        const auto& [number, segment] = *epoch.segments.begin();
        playout_.start_at({epoch.number, number, 0});
        start = StartPosition::at(segment.chunks.begin()->second);
      }
      feed_.know(std::move(*epoch.started));
    }
    if (start) return *start;
    return fail(ErrorCode::kNotFound, "{}: there is no footage from there on", selection_.stream);
  }

  // NS.streams names an epoch before its first segment is written.
  Result<std::optional<record::StartedEpoch>> find_epoch(EpochNumber number) {
    GOPLINE_TRY(directory_->refresh());
    GOPLINE_ASSIGN(auto state, directory_->find(selection_.stream));
    if (state.epoch != number || !state.started) return std::nullopt;
    return record::StartedEpoch{number, state.epoch_offset, *state.started};
  }

  // ---- reading

  Result<void> read_or_wait() {
    auto now = clock_.steady_now();
    auto wait = kLongestWait;
    if (auto due = playout_.next_due(now)) {
      auto until = std::chrono::ceil<Duration>(*due - now);
      wait = std::clamp(until, kShortestWait, kLongestWait);
    }
    // What need not be known yet stays in the log.
    if (playout_.stats(now).waiting_bytes > options_.playout.order.max_bytes / 2 && playout_.next_due(now)) {
      sleep(wait);
      return {};
    }
    GOPLINE_ASSIGN(auto records, reader_->poll(wait));
    now = clock_.steady_now();
    if (!records.empty()) meter_.read(records.back().timestamp, clock_.now());
    for (auto& record : records) GOPLINE_TRY(feed_.take(std::move(record), now));
    return feed_.expire(now);
  }

  void count() {
    auto read = feed_.stats();
    auto playout = playout_.stats(clock_.steady_now());
    meter_.update(playout, read.duplicates + playout.order.duplicates, read.late + playout.order.late);
  }

  Result<void> measure(const LagProbe& probe) {
    count();
    if (auto end = probe.end()) {
      GOPLINE_ASSIGN(auto next, reader_->position(where_));
      meter_.lags(std::max<std::int64_t>(0, end->value - next.value));
    }
    if (events_.on_stats) events_.on_stats(meter_.stats());
    return {};
  }

  void sleep(Duration wait) {
    std::unique_lock lock(mutex_);
    wakeup_.wait_for(lock, stop_, wait, [] { return false; });
  }

  // Nothing comes any more that would be before `until`: it is long over, and all that the log has was read.
  Result<bool> is_past_the_end() {
    if (!options_.until || playout_.next_due(clock_.steady_now())) return false;
    if (clock_.now() <= *options_.until + options_.playout.delay.most) return false;
    GOPLINE_ASSIGN(auto kept, log_.offsets(where_));
    GOPLINE_ASSIGN(auto next, reader_->position(where_));
    return next >= kept.end;
  }

  // ---- writing

  Result<void> play_what_is_due() {
    while (!done_ && !stop_.stop_requested()) {
      auto item = playout_.pop(clock_.steady_now());
      if (!item) return {};
      GOPLINE_TRY(std::visit([&](auto& one) { return put_out(one); }, *item));
    }
    return {};
  }

  Result<void> put_out(const EpochJoin& join) {
    feed_.forget_before(join.to);
    joined_ = join;
    return {};
  }

  // An epoch begins in the output with its first item: one without any leaves no trace there.
  Result<void> begin_joined() {
    if (!joined_) return {};
    const auto* started = feed_.epoch(joined_->to);
    if (!started) return {};  // so far nothing of it can be played, and the gaps say so
    auto join = *std::exchange(joined_, std::nullopt);
    meter_.joined();
    if (join.from) log_info(selection_.stream, "epoch {} follows epoch {}", join.to, *join.from);
    EpochBegin begin{*started, std::nullopt, join.from_its_start};
    if (!sink_) GOPLINE_TRY(make_sink(begin));
    return sink_->begin_epoch(begin);
  }

  Result<void> put_out(const PlayoutGap& gap) {
    GOPLINE_TRY(begin_joined());
    if (sink_) sink_->note_absence();
    auto absence = absence_of(gap);
    if (events_.on_absence) events_.on_absence(absence);
    auto& absences = report_.output.absences;
    bool same = gap.continues && gap.begin < gap.end && !absences.empty() && absences.back().first_segment &&
                absences.back().cause == gap.cause;
    meter_.stated(absence, !same);
    if (same) {
      auto& before = absences.back();
      before.segments = std::max(
          before.segments, absence.first_segment->value + absence.segments - before.first_segment->value);
      before.to = absence.to;
      return {};
    }
    ++report_.gaps;
    absences.push_back(std::move(absence));
    if (absences.size() > kMostAbsences) absences.erase(absences.begin());
    return {};
  }

  Result<void> put_out(const PlayoutPiece& out) {
    const auto& data = out.piece.data;
    if (options_.until && data.headers.time >= *options_.until) {
      done_ = true;
      return {};
    }
    GOPLINE_TRY(begin_joined());
    if (auto written = sink_->write(data); !written) {
      return fail_with_context(fmt::format("{}: epoch {}, segment {}", selection_.stream, data.headers.epoch,
                                           data.headers.segment),
                               written.error());
    }
    if (data.part == 0) ++report_.output.segments;
    meter_.put_out(out.piece, clock_.now(), clock_.steady_now());
    count();
    if (events_.on_stats) events_.on_stats(meter_.stats());
    return {};
  }

  Result<void> make_sink(const EpochBegin& epoch) {
    sink_ = options_.sink;
    if (sink_) return {};
    SinkOptions options{options_.aggregate.output, report_.output.format, options_.aggregate.muxer_options,
                        true, options_.aggregate.receiver};
    GOPLINE_ASSIGN(auto opened, open_sink(std::move(options), epoch));
    own_sink_ = std::move(opened.sink);
    sink_ = own_sink_.get();
    report_.output.format = std::move(opened.format);
    report_.output.passed_through = opened.passed_through;
    return {};
  }

  Result<FollowReport> finish() {
    const auto& stream = selection_.stream;
    if (meter_.stats().pieces == 0) {
      if (report_.interrupted) return fail(ErrorCode::kCancelled, "{}: stopped before anything came", stream);
      return fail(ErrorCode::kNotFound, "{}: nothing came until then", stream);
    }
    GOPLINE_TRY(sink_->finish());
    auto& output = report_.output;
    auto stats = sink_->stats();
    output.packets = stats.packets;
    output.bytes = stats.bytes;
    output.skipped_packets = stats.skipped_packets;
    output.leading_packets = stats.leading_packets;
    output.epochs = std::move(stats.epochs);
    auto read = feed_.stats();
    count();
    report_.stats = meter_.stats();
    output.payload_bytes_read = read.payload_bytes;
    output.blob_bytes_read = read.blob_bytes;
    output.duplicates = report_.stats.duplicates;
    output.late = report_.stats.late;
    output.foreign_records = read.foreign_records;
    return std::move(report_);
  }

  Log& log_;
  const Clock& clock_;
  const FollowOptions& options_;
  const Selection& selection_;
  const FollowEvents& events_;
  StopToken stop_;
  record::Topics topics_;
  std::optional<catalog::StreamDirectory> directory_;
  TopicPartition where_;
  Playout playout_;
  FollowMeter meter_;
  RecordFeed feed_;
  std::unique_ptr<LogReader> reader_;
  std::unique_ptr<Sink> own_sink_;
  Sink* sink_ = nullptr;             // that, or somebody else's
  std::optional<EpochJoin> joined_;  // and nothing of it put out yet
  bool done_ = false;
  FollowReport report_;
  std::mutex mutex_;
  std::condition_variable_any wakeup_;
};

}  // namespace

Result<FollowReport> follow_stream(Log& log, const Clock& clock, const FollowOptions& options,
                                   const FollowEvents& events, StopToken stop) {
  return Follower(log, clock, options, events, std::move(stop)).run();
}

}  // namespace gopline::aggregator
