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

void add(EpochSummary& sum, const EpochSummary& more) {
  sum.epoch = more.epoch;
  sum.late = more.late;
  sum.segments += more.segments;
  sum.bytes += more.bytes;
  for (const auto& [strategy, use] : more.strategies) {
    auto& into = sum.strategies[strategy];
    into.smallest = into.payloads == 0 ? use.smallest : std::min(into.smallest, use.smallest);
    into.largest = std::max(into.largest, use.largest);
    into.payloads += use.payloads;
    into.bytes += use.bytes;
    into.reason = use.reason;
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
  while (auto item = outbox_.pop({})) {
    GOPLINE_TRY(std::visit([this](auto& what) { return take(what); }, *item));
    count();
  }
  return close(EndCause::kStopped);
}

Result<void> LiveWriter::take(EpochBegin& begin) {
  GOPLINE_TRY(end_epoch(EndCause::kSourceLost));
  options_.source = std::move(begin.source);
  options_.tracks = std::move(begin.tracks);
  options_.init_xxh3 = std::move(begin.init_xxh3);
  options_.clock = begin.clock;
  return {};
}

Result<void> LiveWriter::take(LiveSegment& live) {
  return deliver(live.time, [&] {
    publisher_->use_clock(live.clock);
    {
      std::lock_guard lock(mutex_);
      unacknowledged_.push_back(live.read);
    }
    return publisher_->publish(live.segment, live.time, {});
  });
}

Result<void> LiveWriter::take(const record::GapFacts& gap) {
  return deliver(gap.from, [&] { return state_gap(gap); });
}

Result<void> LiveWriter::state_gap(const record::GapFacts& gap) {
  metrics_.gaps[gap.cause].add();
  metrics_.gap_seconds[gap.cause].add(std::chrono::duration<double>(gap.to - gap.from).count());
  return publisher_->gap(gap.cause, gap.from, gap.to, gap.bytes);
}

void LiveWriter::acknowledged(const record::IndexEntry& entry) {
  metrics_.segments.add();
  metrics_.segment_bytes.add(static_cast<double>(entry.size));
  metrics_.capture_to_acknowledged.observe(clock_.now() - entry.time);
  std::lock_guard lock(mutex_);
  if (unacknowledged_.empty()) return;
  metrics_.read_to_acknowledged.observe(
      std::chrono::duration_cast<Duration>(clock_.steady_now() - unacknowledged_.front()));
  unacknowledged_.pop_front();
}

Result<void> LiveWriter::take(EpochEnd& end) {
  return end_epoch(end.cause);
}

// A log that fails here is found to by the next epoch too, which waits for it.
Result<void> LiveWriter::end_epoch(EndCause cause) {
  auto closed = close(cause);
  if (closed || stop_.stop_requested()) return closed;
  log_failed_ = true;
  log_warning(options_.stream, "{}", closed.error().message);
  return {};
}

Result<void> LiveWriter::deliver(Timestamp begins, const std::function<Result<void>()>& hand_over) {
  for (;;) {
    bool is_last_try = stop_.stop_requested();
    auto done = publisher_ ? Result<void>() : open(begins);
    if (done) done = hand_over();
    if (done) return {};
    log_failed_ = true;
    if (publisher_) {
      count();
      // What is unacknowledged is told as lost, if the log still takes that.
      if (auto closed = close(EndCause::kHandedOver); !closed)
        log_debug(options_.stream, "{}", closed.error().message);
    }
    if (is_last_try || is_for_good(done.error())) return done;
    wait_after(done.error());
  }
}

Result<void> LiveWriter::open(Timestamp begins) {
  auto options = options_;
  options.stop = stop_;
  {
    std::lock_guard lock(mutex_);
    unacknowledged_.clear();
  }
  GOPLINE_ASSIGN(publisher_, Publisher::open(log_, clock_, std::move(options)));
  ++totals_.epochs;
  metrics_.epochs.add();
  if (totals_.epochs == 1) totals_.sum.first_ordinal = publisher_->summary().first_ordinal;
  auto before = publisher_->previous_end();
  auto cause = std::exchange(log_failed_, false) ? GapCause::kLost : GapCause::kSourceOutage;
  if (!before || begins - *before < kNoticeable) return {};
  return state_gap({cause, *before, begins, 0});
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
  auto publisher = std::move(publisher_);
  auto closed = publisher->close(cause);
  add(before_, closed ? *closed : publisher->summary());
  totals_.sum.segments = before_.segments;
  totals_.sum.bytes = before_.bytes;
  totals_.sum.strategies = before_.strategies;
  if (closed) return {};
  return tl::unexpected<Error>(std::move(closed.error()));
}

void LiveWriter::count() {
  auto sum = before_;
  if (publisher_) add(sum, publisher_->summary());
  auto first = totals_.sum.first_ordinal;
  totals_.sum = std::move(sum);
  totals_.sum.first_ordinal = first;
  if (on_written_) on_written_(totals_);
}

}  // namespace gopline::splitter
