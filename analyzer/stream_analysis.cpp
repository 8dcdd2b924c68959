#include "analyzer/stream_analysis.h"

#include <algorithm>
#include <utility>

#include "analyzer/warm_up.h"
#include "common/base/logging.h"
#include "common/base/text.h"

namespace gopline::analyzer {
namespace {

constexpr std::int64_t kMostAttempts = 3;
constexpr std::size_t kEpochsAtOnce = 4;  // the newest, and late ones beside it

std::string_view explain(LagPolicy policy) {
  switch (policy) {
    case LagPolicy::kKeyOnly:
      return "only key frames are analyzed until it has caught up (--lag key-only)";
    case LagPolicy::kSkipToKey:
      return "segments are passed over until it has caught up (--lag skip-to-key)";
    case LagPolicy::kBlock:
      break;
  }
  return "everything is analyzed nonetheless (--lag block); more workers of the group share the streams";
}

}  // namespace

StreamAnalysis::StreamAnalysis(Workshop& workshop, std::string stream, PartitionId partition)
    : workshop_(workshop), stream_(std::move(stream)), partition_(partition) {
  report();
}

Result<void> StreamAnalysis::take(record::AssemblerEvent event, const RecordPlace& place) {
  return std::visit([&](auto& one) { return take(one, place); }, event);
}

// ---- segments

Result<void> StreamAnalysis::take(record::AssembledSegment& segment, const RecordPlace& place) {
  GOPLINE_ASSIGN(auto ready, with_payload(segment));
  if (!ready) return {};
  newest_segment_came_ = workshop_.clock.steady_now();
  bool behind = is_behind(*ready, place.written);
  if (behind && workshop_.options.lag == LagPolicy::kSkipToKey) {
    ++report().skipped;
    cut(ready->headers.epoch, ready->offset);
    return {};
  }
  bool keys_alone = behind && workshop_.options.lag == LagPolicy::kKeyOnly;
  if (keys_alone) ++report().keys_only;
  return analyze(*ready, keys_alone);
}

Result<std::optional<SegmentToAnalyze>> StreamAnalysis::with_payload(record::AssembledSegment& segment) {
  auto offset = *std::ranges::min_element(segment.offsets);
  SegmentToAnalyze ready{std::move(segment.headers), std::move(segment.bytes), offset};
  if (segment.datarefs.empty()) return ready;
  auto bytes =
      workshop_.claims
          ? workshop_.claims->fetch(segment.datarefs)
          : Result<BufferChain>(fail(ErrorCode::kNotFound,
                                     "its payload lies outside of the log, and no way to there was given"));
  if (bytes) {
    ready.bytes = std::move(*bytes);
    return ready;
  }
  if (bytes.error().code != ErrorCode::kNotFound && bytes.error().code != ErrorCode::kCorrupt)
    return tl::unexpected<Error>(std::move(bytes.error()));
  log_warning(stream_, "epoch {}, segment {}: {}", ready.headers.epoch, ready.headers.segment,
              bytes.error().message);
  ++report().lost;
  cut(ready.headers.epoch, ready.offset);
  return std::nullopt;
}

// Whoever is behind says so, whatever he does about it.
bool StreamAnalysis::is_behind(const SegmentToAnalyze& segment, Timestamp written) {
  if (workshop_.options.until_end) return false;
  auto late_by = workshop_.clock.now() - written;
  bool behind = late_by > workshop_.options.lag_limit;
  if (behind && !was_behind_) {
    log_warning(stream_, "is {} behind, at segment {}: {}", format_duration(late_by), segment.headers.segment,
                explain(workshop_.options.lag));
  } else if (was_behind_ && !behind) {
    log_info(stream_, "has caught up, at segment {}", segment.headers.segment);
  }
  was_behind_ = behind;
  return behind;
}

// A decoder or analyzer that failed is not used again: each attempt begins where a worker would that takes
// the stream over.
Result<void> StreamAnalysis::analyze(const SegmentToAnalyze& segment, bool keys_alone) {
  GOPLINE_ASSIGN(auto* analysis, analysis_of(segment.headers.epoch));
  if (!analysis) {
    log_warning(stream_, "epoch {}: its opening record is not kept any more; segment {} is passed over",
                segment.headers.epoch, segment.headers.segment);
    ++report().lost;
    return {};
  }
  if (!analysis->has_track()) return {};
  bool goes_on = analysis->continues_with(segment.headers);
  auto told_from =
      goes_on ? analysis->oldest_segment().value_or(segment.headers.segment) : segment.headers.segment;
  for (std::int64_t attempts = 1;; ++attempts) {
    auto done = attempt(*analysis, segment, told_from, keys_alone);
    if (done) break;
    if (workshop_.stop.stop_requested()) return fail(ErrorCode::kCancelled, "stopped");
    analysis->forget();
    if (done.error().code == ErrorCode::kUnavailable) return done;  // the log is away
    bool is_hopeless =
        done.error().code == ErrorCode::kCorrupt || done.error().code == ErrorCode::kUnsupported;
    if (is_hopeless || attempts == kMostAttempts) {
      give_up(segment, done.error(), attempts);
      break;
    }
    ++report().repeated;
    log_warning(stream_, "epoch {}, segment {}: {}; tried again", segment.headers.epoch,
                segment.headers.segment, done.error().message);
  }
  collect(*analysis);
  return {};
}

Result<void> StreamAnalysis::attempt(EpochAnalysis& analysis, const SegmentToAnalyze& segment,
                                     SegmentNumber told_from, bool keys_alone) {
  if (!analysis.continues_with(segment.headers)) {
    if (analysis.newest_segment()) ++report().gaps;
    GOPLINE_TRY(analysis.cut(segment.offset));
    GOPLINE_TRY(lead_up_to(analysis, segment.headers, told_from));
    bool led_up = analysis.continues_with(segment.headers);
    if (!led_up) analysis.forget();
    if (!led_up && !analysis.can_begin_with(segment.headers)) {
      log_warning(stream_, "epoch {}, segment {}: nothing leads up to it; passed over until a key frame",
                  segment.headers.epoch, segment.headers.segment);
      ++report().lost;
      return {};
    }
  }
  return analysis.take(segment, false, keys_alone);
}

Result<void> StreamAnalysis::lead_up_to(EpochAnalysis& analysis, const record::SegmentHeaders& headers,
                                        SegmentNumber told_from) {
  GOPLINE_ASSIGN(auto state, workshop_.epochs.state_of(stream_));
  if (!state) return {};
  WarmUpRequest request{*state, headers, workshop_.kind.wishes().warm_up};
  return read_warm_up(workshop_.log, workshop_.topics, request, workshop_.claims, workshop_.stop,
                      [&](const SegmentToAnalyze& one) -> Result<void> {
                        if (!analysis.continues_with(one.headers)) {
                          analysis.forget();
                          if (!analysis.can_begin_with(one.headers)) return {};
                        }
                        // What cannot be analyzed now could not be then: the analyzer began anew behind it.
                        if (auto taken = analysis.take(one, one.headers.segment < told_from); !taken) {
                          log_warning(stream_, "epoch {}, segment {}, which leads up to {}: {}",
                                      headers.epoch, one.headers.segment, headers.segment,
                                      taken.error().message);
                          analysis.forget();
                        }
                        return {};
                      });
}

void StreamAnalysis::give_up(const SegmentToAnalyze& segment, const Error& error, std::int64_t attempts) {
  log_error(stream_, "epoch {}, segment {} is given up after {} attempts: {}", segment.headers.epoch,
            segment.headers.segment, attempts, error.message);
  record::DeadLetter letter;
  letter.stream = stream_;
  letter.epoch = segment.headers.epoch;
  letter.segment = segment.headers.segment;
  letter.partition = partition_;
  letter.offset = segment.offset;
  letter.time = workshop_.clock.now();
  letter.analyzer = workshop_.kind.identity();
  letter.group = workshop_.options.group;
  letter.reason = error.message;
  letter.attempts = attempts;
  letters_.push_back(std::move(letter));
  ++report().dead;
}

// ---- epochs

Result<EpochAnalysis*> StreamAnalysis::analysis_of(EpochNumber epoch) {
  if (auto found = epochs_.find(epoch); found != epochs_.end()) return found->second.get();
  GOPLINE_ASSIGN(auto started, workshop_.epochs.find(stream_, epoch));
  if (!started) return nullptr;
  while (epochs_.size() >= kEpochsAtOnce) epochs_.erase(epochs_.begin());  // led up to again, should it go on
  auto analysis = std::make_unique<EpochAnalysis>(workshop_.kind, workshop_.options.frames,
                                                  workshop_.options.thumbnails, std::move(*started));
  return epochs_.emplace(epoch, std::move(analysis)).first->second.get();
}

Result<void> StreamAnalysis::catch_up(EpochNumber epoch, Offset because) {
  if (epochs_.contains(epoch)) return {};
  GOPLINE_ASSIGN(auto state, workshop_.epochs.state_of(stream_));
  if (!state) return {};
  GOPLINE_ASSIGN(auto newest, newest_open_segment(workshop_.log, workshop_.topics, *state, epoch, because));
  if (!newest) return {};
  GOPLINE_ASSIGN(auto* analysis, analysis_of(epoch));
  if (!analysis) return {};
  record::SegmentHeaders behind;
  behind.epoch = epoch;
  behind.segment = newest->segment.next();
  behind.discontinuities = newest->discontinuities;
  behind.time = newest->end_time();
  return lead_up_to(*analysis, behind, behind.segment);
}

// What was open ends, because the stream does.
void StreamAnalysis::cut(EpochNumber epoch, Offset because) {
  auto found = epochs_.find(epoch);
  if (found == epochs_.end()) return;
  if (auto ended = found->second->cut(because); !ended) {
    log_warning(stream_, "epoch {}: {}", epoch, ended.error().message);
    found->second->forget();
  }
  collect(*found->second);
}

void StreamAnalysis::drop_epochs_before(EpochNumber epoch, Offset because) {
  while (!epochs_.empty() && epochs_.begin()->first < epoch) {
    auto number = epochs_.begin()->first;
    cut(number, because);
    counted_.erase(number);
    epochs_.erase(epochs_.begin());
  }
}

void StreamAnalysis::settle() {
  for (auto& [number, analysis] : epochs_) {
    if (!analysis->oldest_offset()) continue;
    if (auto settled = analysis->settle(); !settled) {
      log_warning(stream_, "epoch {}: {}", number, settled.error().message);
      analysis->forget();
    }
    collect(*analysis);
  }
}

void StreamAnalysis::settle_what_waits(SteadyTime now) {
  if (oldest_offset() && now - newest_segment_came_ > workshop_.options.patience) settle();
}

void StreamAnalysis::collect(EpochAnalysis& analysis) {
  std::ranges::move(analysis.take_detections(), std::back_inserter(told_));
  auto& total = report().analysis;
  auto& before = counted_[analysis.number()];
  const auto& now = analysis.stats();
  total.segments += now.segments - before.segments;
  total.decoded += now.decoded - before.decoded;
  total.analyzed += now.analyzed - before.analyzed;
  total.undecodable += now.undecodable - before.undecodable;
  total.runs += now.runs - before.runs;
  total.footage += now.footage - before.footage;
  for (const auto& [name, count] : now.stages) {
    auto& stage = total.stages[name];
    const auto& counted = before.stages[name];
    stage.shown += count.shown - counted.shown;
    stage.passed_over += count.passed_over - counted.passed_over;
    stage.missed += count.missed - counted.missed;
  }
  total.thumbnails.smaller += now.thumbnails.smaller - before.thumbnails.smaller;
  total.thumbnails.left_out += now.thumbnails.left_out - before.thumbnails.left_out;
  before = now;
}

Result<void> StreamAnalysis::take(record::StartedEpoch& started, const RecordPlace& place) {
  if (!started.marker.late) {
    GOPLINE_ASSIGN(auto state, workshop_.epochs.state_of(stream_));
    if (state && epochs_.empty()) {
      GOPLINE_ASSIGN(auto newest, newest_open_segment(workshop_.log, workshop_.topics, *state, std::nullopt,
                                                      place.offset));
      if (newest && newest->epoch < started.epoch) GOPLINE_TRY(catch_up(newest->epoch, place.offset));
    }
    drop_epochs_before(started.epoch, place.offset);
  }
  workshop_.epochs.know(stream_, std::move(started));
  return {};
}

Result<void> StreamAnalysis::take(const record::EndedEpoch& ended, const RecordPlace& place) {
  auto epoch = ended.marker.epoch;
  GOPLINE_TRY(catch_up(epoch, place.offset));
  cut(epoch, place.offset);
  counted_.erase(epoch);
  epochs_.erase(epoch);
  return {};
}

// ---- what is missing

Result<void> StreamAnalysis::take(const record::WrittenGap& gap, const RecordPlace& place) {
  ++report().gaps;
  GOPLINE_TRY(catch_up(gap.marker.epoch, place.offset));
  cut(gap.marker.epoch, place.offset);
  return {};
}

Result<void> StreamAnalysis::take(const record::LostSegment& lost, const RecordPlace&) {
  ++report().lost;
  log_warning(stream_, "epoch {}, segment {}: {}", lost.headers.epoch, lost.headers.segment, lost.reason);
  GOPLINE_TRY(catch_up(lost.headers.epoch, lost.first_offset));
  cut(lost.headers.epoch, lost.first_offset);
  return {};
}

Result<void> StreamAnalysis::take(const record::BadRecord& bad, const RecordPlace&) {
  log_warning(stream_, "the record at offset {} cannot be used: {}", bad.offset, bad.error.message);
  return {};
}

// ---- what is done

std::optional<Offset> StreamAnalysis::oldest_offset() const {
  std::optional<Offset> oldest;
  for (const auto& [number, analysis] : epochs_) {
    auto its = analysis->oldest_offset();
    if (its && (!oldest || *its < *oldest)) oldest = its;
  }
  return oldest;
}

}  // namespace gopline::analyzer
