#include "aggregator/recorder/stream_recorder.h"

#include <algorithm>

#include "common/base/logging.h"
#include "common/media/segment_reader.h"

namespace gopline::aggregator {
namespace {

constexpr std::size_t kEpochsAtOnce = 64;

std::optional<Offset> lower(std::optional<Offset> a, std::optional<Offset> b) {
  return a && b ? std::min(*a, *b) : a ? a : b;
}

Offset lowest(const std::vector<Offset>& offsets) {
  return offsets.empty() ? Offset{} : *std::min_element(offsets.begin(), offsets.end());
}

LaneGap gap_of(const record::SegmentHeaders& headers, AbsenceCause cause, std::string reason, Offset offset) {
  LaneGap gap;
  gap.absence.epoch = headers.epoch;
  gap.absence.cause = cause;
  gap.absence.reason = std::move(reason);
  gap.absence.first_segment = headers.segment;
  gap.absence.segments = 1;
  gap.offset = offset;
  return gap;
}

// Where what the record led to begins.
Offset begin_of(const record::AssemblerEvent& event, Offset offset) {
  if (const auto* segment = std::get_if<record::AssembledSegment>(&event)) return lowest(segment->offsets);
  if (const auto* lost = std::get_if<record::LostSegment>(&event)) return lost->first_offset;
  return offset;
}

}  // namespace

StreamRecorder::StreamRecorder(const RecordingOptions& options, const RecordingWorld& world,
                               reading::ClaimFetcher* claims, RecordingProgress& progress, std::string stream,
                               PartitionId partition)
    : options_(options),
      world_(world),
      claims_(claims),
      progress_(progress),
      stream_(std::move(stream)),
      partition_(partition) {}

std::optional<Offset> StreamRecorder::oldest_of_epochs() const {
  std::optional<Offset> oldest;
  for (const auto& [number, recorder] : epochs_) {
    auto its = recorder.oldest_offset();
    // The beginning of an epoch of which nothing is recorded yet is what tells that its first segments are
    // missing.
    auto begun = begun_.find(number);
    bool nothing_yet = !progress_.of(stream_).contains(number);
    if (its && nothing_yet && begun != begun_.end()) its = lower(its, begun->second);
    oldest = lower(oldest, its);
  }
  return oldest;
}

std::optional<Offset> StreamRecorder::oldest_offset() const {
  return failure_ ? resume_ : oldest_of_epochs();
}

const record::StartedEpoch* StreamRecorder::epoch(EpochNumber number) const {
  auto found = started_.find(number);
  return found == started_.end() ? nullptr : &found->second;
}

void StreamRecorder::know(record::StartedEpoch started) {
  started_.insert_or_assign(started.epoch, std::move(started));
  while (started_.size() > kEpochsAtOnce) started_.erase(started_.begin());
}

// One that is done with what it was given and has said so is made anew when it is needed.
EpochRecorder& StreamRecorder::recorder_of(EpochNumber number) {
  auto found = epochs_.find(number);
  if (found != epochs_.end()) return found->second;
  for (auto it = epochs_.begin(); epochs_.size() >= kEpochsAtOnce && it != epochs_.end();) {
    it = it->second.idle() ? epochs_.erase(it) : std::next(it);
  }
  const auto& known = progress_.of(stream_);
  std::optional<EpochProgress> done;
  if (auto progress = known.find(number); progress != known.end()) {
    done = progress->second;
  } else if (begun_.contains(number)) {
    done = EpochProgress{};
  }
  return epochs_.try_emplace(number, options_, world_, stream_, number, partition_, done).first->second;
}

// ---- what comes

void StreamRecorder::guard(const Result<void>& result, std::optional<Offset> pending) {
  if (result) return;
  failure_ = result.error();
  resume_ = pending;
  epochs_.clear();  // with them their open files
  if (failure_->code != ErrorCode::kCancelled)
    log_warning(stream_, "not recorded for now: {}", failure_->message);
}

void StreamRecorder::take(record::AssemblerEvent event, Offset offset, SteadyTime now) {
  if (failure_) {
    resume_ = lower(resume_, begin_of(event, offset));
    return;
  }
  auto pending = lower(oldest_of_epochs(), begin_of(event, offset));
  auto taken = std::visit(
      [&](auto& one) -> Result<void> {
        using Event = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<Event, record::StartedEpoch>) {
          return take(one, offset);
        } else if constexpr (std::is_same_v<Event, record::OpenChunk>) {
          return {};  // what becomes of its segment is recorded
        } else if constexpr (std::is_same_v<Event, record::WrittenGap>) {
          return recorder_of(one.marker.epoch).state(one.marker, offset, now);
        } else if constexpr (std::is_same_v<Event, record::BadRecord>) {
          log_warning(stream_, "the record at offset {} cannot be used: {}", one.offset, one.error.message);
          return {};
        } else {
          return take(one, now);
        }
      },
      event);
  guard(taken, pending);
}

void StreamRecorder::tick(Timestamp wall, SteadyTime now) {
  if (failure_) return;
  auto pending = oldest_of_epochs();
  for (auto& [number, recorder] : epochs_) {
    auto ticked = recorder.tick(wall, now);
    if (!ticked) return guard(ticked, pending);
  }
}

void StreamRecorder::finish(FileEnd end) {
  if (failure_) return;
  auto pending = oldest_of_epochs();
  for (auto& [number, recorder] : epochs_) {
    auto finished = recorder.finish(end);
    if (!finished) return guard(finished, pending);
  }
}

Result<void> StreamRecorder::take(record::AssembledSegment& segment, SteadyTime now) {
  auto& recorder = recorder_of(segment.headers.epoch);
  if (recorder.is_done(segment.headers.segment)) return {};
  auto offset = lowest(segment.offsets);
  auto lose = [&](AbsenceCause cause, std::string reason) {
    auto gap = gap_of(segment.headers, cause, std::move(reason), offset);
    gap.absence.uri = segment.datarefs.front().uri;
    return recorder.lose(segment.headers.segment, std::nullopt, std::move(gap), now);
  };
  if (!segment.datarefs.empty()) {
    if (!claims_)
      return lose(AbsenceCause::kElsewhere,
                  "its payload lies outside of the log, and no way to there was given");
    auto bytes = claims_->fetch(segment.datarefs);
    if (!bytes && bytes.error().code == ErrorCode::kNotFound)
      return lose(AbsenceCause::kMissingBlob, bytes.error().message);
    if (!bytes && bytes.error().code == ErrorCode::kCorrupt)
      return lose(AbsenceCause::kCorrupt, bytes.error().message);
    if (!bytes) return tl::unexpected<Error>(std::move(bytes.error()));
    segment.bytes = std::move(*bytes);
    segment.pinned_bytes = segment.bytes.size();
  }
  SegmentData data{std::move(segment.headers), std::move(segment.bytes), segment.pinned_bytes};
  return recorder.take({std::move(data), offset}, now);
}

// What came whole of the beginning of one that did not, as far as it can be played.
std::optional<LaneSegment> StreamRecorder::beginning_of(record::LostSegment& lost) {
  auto started = world_.find_epoch(lost.headers.epoch);
  if (!started || !*started || lost.prefix.empty()) return std::nullopt;
  auto playable =
      media::playable_prefix(lost.prefix.flatten(), lost.headers.content_type, (*started)->marker.tracks);
  if (!playable) return std::nullopt;
  SegmentData data{lost.headers, lost.prefix.share(0, playable->size), playable->size, false};
  data.headers.duration = Rational{playable->duration, playable->timescale};
  return LaneSegment{std::move(data), lost.first_offset};
}

Result<void> StreamRecorder::take(record::LostSegment& lost, SteadyTime now) {
  auto beginning = beginning_of(lost);
  auto gap = gap_of(lost.headers, absence_cause_from(lost.cause), lost.reason, lost.first_offset);
  return recorder_of(lost.headers.epoch)
      .lose(lost.headers.segment, std::move(beginning), std::move(gap), now);
}

Result<void> StreamRecorder::take(record::StartedEpoch& started, Offset offset) {
  auto number = started.epoch;
  if (!started.marker.late) {
    for (auto it = epochs_.begin(); it != epochs_.lower_bound(number); ++it) it->second.supersede();
  }
  begun_[number] = offset;
  while (begun_.size() > kEpochsAtOnce) begun_.erase(begun_.begin());
  know(std::move(started));
  recorder_of(number);
  return {};
}

Result<void> StreamRecorder::take(record::EndedEpoch& ended, SteadyTime now) {
  return recorder_of(ended.marker.epoch).end(now);
}

}  // namespace gopline::aggregator
