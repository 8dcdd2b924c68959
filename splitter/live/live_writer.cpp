#include "splitter/live/live_writer.h"

#include <condition_variable>

#include "common/base/logging.h"

namespace gopline::splitter {
namespace {

// Between one epoch's end and the next one's begin: less is how the clocks that both were measured by differ.
constexpr Duration kNoticeable = std::chrono::milliseconds(250);

bool is_for_good(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnsupported:
    case ErrorCode::kTooLarge:
      return true;
    default:
      return false;
  }
}

}  // namespace

LiveWriter::LiveWriter(Log& log, const Clock& clock, PublisherOptions options, Outbox& outbox,
                       std::function<void(const Totals&)> on_written, StopToken stop, StreamMetrics metrics)
    : log_(log),
      clock_(clock),
      options_(std::move(options)),
      outbox_(outbox),
      on_written_(std::move(on_written)),
      stop_(std::move(stop)),
      retry_({}, std::hash<std::string>()(options_.stream)),
      metrics_(std::move(metrics)) {
  options_.on_acknowledged = [this](const auto& entry) { acknowledged(entry); };
}

Result<void> LiveWriter::run() {
  for (;;) {
    if (next_.empty()) {
      auto entry = outbox_.pop({});
      if (!entry) break;
      next_.push_back(std::move(*entry));
    }
    bool is_last_try = stop_.stop_requested();
    auto entry = std::move(next_.front());
    next_.pop_front();
    auto taken = take(entry);
    if (!taken) {
      next_.push_front(std::move(entry));
      if (auto again = after_failure(std::move(taken.error()), is_last_try); !again) return again;
    } else if (!std::holds_alternative<LiveSegment>(entry.item)) {
      outbox_.done(entry.number);  // of a segment when it is acknowledged
    }
    count();
  }
  bool is_last_try = stop_.stop_requested();
  auto closed = close(EndCause::kStopped);
  if (closed) return {};
  if (auto again = after_failure(std::move(closed.error()), is_last_try); !again) return again;
  return next_.empty() ? Result<void>() : run();
}

Result<void> LiveWriter::take(OutboxEntry& entry) {
  if (auto* begin = std::get_if<EpochBegin>(&entry.item)) return take(*begin);
  if (const auto* live = std::get_if<LiveSegment>(&entry.item)) return take(entry, *live);
  if (const auto* gap = std::get_if<record::GapFacts>(&entry.item)) return take(*gap);
  return take(std::get<EpochEnd>(entry.item));
}

Result<void> LiveWriter::take(EpochBegin& begin) {
  if (begin.repeats && begin_) return {};
  GOPLINE_TRY(close(EndCause::kSourceLost));
  options_.source = begin.source;
  options_.tracks = begin.tracks;
  options_.init_xxh3 = begin.init_xxh3;
  options_.clock = begin.clock;
  begin_ = begin;
  return {};
}

Result<void> LiveWriter::take(OutboxEntry& entry, const LiveSegment& live) {
  if (live.segment.part == 0) {
    GOPLINE_TRY(begin_segment(live));
  } else if (!continues_what_is_there(live)) {
    leave_out(entry, live);
    return {};
  }
  return publish(entry, live);
}

Result<void> LiveWriter::begin_segment(const LiveSegment& live) {
  if (!publisher_) GOPLINE_TRY(open(live.time));
  GOPLINE_TRY(state_left_out());
  // Its rest was dropped when it was published before, in an epoch that failed.
  if (open_ && live.time > open_->end) GOPLINE_TRY(state_gap({GapCause::kLost, open_->end, live.time, 0}));
  left_out_cause_ = GapCause::kLost;
  publisher_->use_clock(live.clock);
  return {};
}

Result<void> LiveWriter::publish(OutboxEntry& entry, const LiveSegment& live) {
  bool is_first = live.segment.part == 0;
  {
    std::lock_guard lock(mutex_);
    auto number = is_first ? next_segment_ : SegmentNumber(next_segment_.value - 1);
    unacknowledged_.push_back({entry, number});  // the bytes are shared
  }
  auto published = publisher_->publish(live.segment, live.time, {});
  if (!published) {
    std::lock_guard lock(mutex_);
    bool is_there = !unacknowledged_.empty() && unacknowledged_.back().entry.number == entry.number;
    if (is_there) unacknowledged_.pop_back();
    return published;
  }
  if (is_first) next_segment_ = next_segment_.next();
  open_ = live.segment.last_part ? std::nullopt : std::optional(OpenSegment{live.segment.part + 1, live.end});
  return {};
}

// Whether the part is the next one of the segment that is being published.
bool LiveWriter::continues_what_is_there(const LiveSegment& live) const {
  return open_ && open_->next_part == live.segment.part;
}

void LiveWriter::leave_out(const OutboxEntry& entry, const LiveSegment& live) {
  left_out_ = record::joined(left_out_, {left_out_cause_, live.time, live.end, live.segment.bytes.size()});
  outbox_.drop(entry);
}

Result<void> LiveWriter::state_left_out() {
  if (!left_out_) return {};
  GOPLINE_TRY(state_gap(*left_out_));
  left_out_.reset();
  return {};
}

Result<void> LiveWriter::take(const record::GapFacts& gap) {
  if (!publisher_) GOPLINE_TRY(open(gap.from));
  GOPLINE_TRY(state_left_out());
  left_out_cause_ = gap.cause;
  return state_gap(gap);
}

Result<void> LiveWriter::take(const EpochEnd& end) {
  return close(end.cause);
}

Result<void> LiveWriter::open(Timestamp begins) {
  auto options = options_;
  options.stop = stop_;
  GOPLINE_ASSIGN(publisher_, Publisher::open(log_, clock_, std::move(options)));
  ++totals_.epochs;
  metrics_.epochs.add();
  if (totals_.epochs == 1) totals_.sum.first_ordinal = publisher_->summary().first_ordinal;
  next_segment_ = {};
  auto before = publisher_->previous_end();
  bool is_lost = std::exchange(log_failed_, false) || left_out_;
  left_out_.reset();  // it lies in the gap that follows
  auto cause = is_lost ? GapCause::kLost : GapCause::kSourceOutage;
  if (!before || begins - *before < kNoticeable) return {};
  return state_gap({cause, *before, begins, 0});
}

// A segment that is open stays unfinished.
Result<void> LiveWriter::state_gap(const record::GapFacts& gap) {
  if (std::exchange(open_, std::nullopt)) {
    std::lock_guard lock(mutex_);
    auto number = SegmentNumber(next_segment_.value - 1);
    for (auto& part : unacknowledged_) part.stays_unfinished |= part.segment == number;
  }
  GOPLINE_TRY(publisher_->gap(gap.cause, gap.from, gap.to, gap.bytes));
  metrics_.gaps[gap.cause].add();
  metrics_.gap_seconds[gap.cause].add(std::chrono::duration<double>(gap.to - gap.from).count());
  return {};
}

void LiveWriter::acknowledged(const record::IndexEntry& entry) {
  metrics_.segments.add();
  metrics_.segment_bytes.add(static_cast<double>(entry.size));
  metrics_.capture_to_acknowledged.observe(clock_.now() - entry.time);
  std::lock_guard lock(mutex_);
  // With it what is to stay unfinished before it; not what the log refused, which is written again.
  std::erase_if(unacknowledged_, [&](const Published& part) {
    if (part.segment != entry.segment && !(part.stays_unfinished && part.segment < entry.segment))
      return false;
    const auto& live = std::get<LiveSegment>(part.entry.item);
    if (part.segment == entry.segment && live.segment.part == 0) {
      auto since = clock_.steady_now() - live.read;
      metrics_.read_to_acknowledged.observe(std::chrono::duration_cast<Duration>(since));
    }
    outbox_.done(part.entry.number);
    return true;
  });
}

// Whatever is not acknowledged comes before what failed. The error again: nothing more is to be tried.
Result<void> LiveWriter::after_failure(Error error, bool is_last_try) {
  log_failed_ = true;
  // What is unacknowledged is told as lost, if the log still takes that: a reader need not wait for it.
  if (auto closed = close(EndCause::kHandedOver); !closed)
    log_debug(options_.stream, "{}", closed.error().message);
  {
    std::lock_guard lock(mutex_);
    for (; !unacknowledged_.empty(); unacknowledged_.pop_back())
      next_.push_front(std::move(unacknowledged_.back().entry));
  }
  if (is_last_try || is_for_good(error)) {
    if (!outbox_.keep(std::exchange(next_, {}), begin_)) return tl::unexpected<Error>(std::move(error));
    if (is_for_good(error)) return tl::unexpected<Error>(std::move(error));
    return fail(error.code, "{}; what it has not taken is spilled and will be written by the next run",
                error.message);
  }
  wait_after(error);
  return {};
}

// Ends early when stopped.
void LiveWriter::wait_after(const Error& error) {
  if (stop_.stop_requested()) return;
  auto delay = retry_.next_delay(OutageCause::kFailed, {});
  log_warning(options_.stream, "{}; trying again in {:.1f} s", error.message,
              std::chrono::duration<double>(delay).count());
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop_, delay, [] { return false; });
}

Result<void> LiveWriter::close(EndCause cause) {
  if (!publisher_) return {};
  if (auto told = state_left_out(); !told) log_debug(options_.stream, "{}", told.error().message);
  open_.reset();
  auto publisher = std::move(publisher_);
  auto closed = publisher->close(cause);
  add_epoch(before_, closed ? *closed : publisher->summary());
  totals_.sum.segments = before_.segments;
  totals_.sum.bytes = before_.bytes;
  totals_.sum.strategies = before_.strategies;
  if (!closed) return tl::unexpected<Error>(std::move(closed.error()));
  std::lock_guard lock(mutex_);
  for (; !unacknowledged_.empty(); unacknowledged_.pop_front())  // parts of what stayed unfinished
    outbox_.done(unacknowledged_.front().entry.number);
  return {};
}

void LiveWriter::count() {
  auto sum = before_;
  if (publisher_) add_epoch(sum, publisher_->summary());
  auto first = totals_.sum.first_ordinal;
  totals_.sum = std::move(sum);
  totals_.sum.first_ordinal = first;
  if (on_written_) on_written_(totals_);
}

}  // namespace gopline::splitter
