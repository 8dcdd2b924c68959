#include "aggregator/recorder/epoch_lane.h"

#include <algorithm>

namespace gopline::aggregator {

EpochLane::EpochLane(EpochNumber epoch, LaneOptions options, std::optional<EpochProgress> done)
    : epoch_(epoch),
      options_(options),
      begun_(done.has_value()),
      next_(done.value_or(EpochProgress{})),
      highest_(next_.segment) {}

void EpochLane::insert(std::int64_t number, Slot slot) {
  if (!begun_) {
    begun_ = true;
    next_.segment = number;
  }
  if (number < next_.segment) return;  // known, or given up
  highest_ = std::max(highest_, number + 1);
  std::size_t bytes = slot.segment ? slot.segment->data.pinned_bytes : 0;
  if (waiting_.try_emplace(number, std::move(slot)).second) waiting_bytes_ += bytes;
}

void EpochLane::push(LaneSegment segment, SteadyTime now) {
  auto number = segment.data.headers.segment.value;
  insert(number, {std::move(segment), std::nullopt, now});
}

void EpochLane::lose(SegmentNumber number, std::optional<LaneSegment> beginning, LaneGap gap,
                     SteadyTime now) {
  insert(number.value, {std::move(beginning), std::move(gap), now});
}

void EpochLane::state(const record::Gap& gap, Offset offset) {
  if (gap.number < next_.gap) return;
  for (const auto& [before, other] : stated_) {
    if (other.next.gap == gap.number + 1) return;
  }
  LaneGap stated;
  stated.absence.epoch = epoch_;
  stated.absence.cause = absence_cause_from(gap.facts.cause);
  stated.absence.reason = "the writer says so";
  stated.absence.from = gap.facts.from;
  stated.absence.to = gap.facts.to;
  stated.absence.bytes = gap.facts.bytes;
  stated.next = {highest_, gap.number + 1};
  stated.offset = offset;
  stated_.emplace(highest_, std::move(stated));
}

void EpochLane::end() {
  ended_ = true;
}

void EpochLane::skip_to(EpochProgress done) {
  begun_ = true;
  next_.segment = std::max(next_.segment, done.segment);
  next_.gap = std::max(next_.gap, done.gap);
  highest_ = std::max(highest_, next_.segment);
  while (!waiting_.empty() && waiting_.begin()->first < next_.segment) {
    const auto& segment = waiting_.begin()->second.segment;
    if (segment) waiting_bytes_ -= segment->data.pinned_bytes;
    waiting_.erase(waiting_.begin());
  }
  for (auto it = stated_.begin(); it != stated_.end();) {
    it = it->second.next.gap <= next_.gap ? stated_.erase(it) : std::next(it);
  }
}

LaneGap EpochLane::hole(std::int64_t from, std::int64_t to) const {
  LaneGap gap;
  gap.absence.epoch = epoch_;
  gap.absence.cause = AbsenceCause::kLost;
  gap.absence.reason = "it is not in the log";
  gap.absence.first_segment = SegmentNumber(from);
  gap.absence.segments = to - from;
  gap.next = {to, next_.gap};
  return gap;
}

std::optional<LaneItem> EpochLane::pop_slot() {
  auto& slot = waiting_.begin()->second;
  std::optional<LaneItem> item;
  if (slot.segment) {
    waiting_bytes_ -= slot.segment->data.pinned_bytes;
    item = std::move(*slot.segment);
    slot.segment.reset();
    if (slot.gap) return item;  // which is next
  } else if (slot.gap) {
    slot.gap->next = {next_.segment + 1, next_.gap};
    item = std::move(*slot.gap);
  }
  waiting_.erase(waiting_.begin());
  ++next_.segment;
  return item;
}

std::optional<LaneItem> EpochLane::pop(SteadyTime now) {
  if (!stated_.empty() && stated_.begin()->first <= next_.segment) {
    auto gap = std::move(stated_.begin()->second);
    stated_.erase(stated_.begin());
    next_.gap = std::max(next_.gap, gap.next.gap);
    gap.next = next_;
    return LaneItem(std::move(gap));
  }
  if (waiting_.empty()) {
    // A gap that was stated behind numbers that never came.
    if (!ended_ || stated_.empty()) return std::nullopt;
    auto gap = hole(next_.segment, stated_.begin()->first);
    next_.segment = stated_.begin()->first;
    return LaneItem(std::move(gap));
  }
  auto [number, slot] = std::pair(waiting_.begin()->first, &waiting_.begin()->second);
  if (number == next_.segment) return pop_slot();
  bool given_up = ended_ || waiting_bytes_ > options_.max_bytes || now - slot->since >= options_.patience;
  if (!given_up) return std::nullopt;
  auto to = stated_.empty() ? number : std::min(number, stated_.begin()->first);
  auto gap = hole(next_.segment, to);
  next_.segment = to;
  return LaneItem(std::move(gap));
}

std::optional<Offset> EpochLane::oldest_offset() const {
  std::optional<Offset> oldest;
  auto note = [&](std::optional<Offset> offset) {
    if (offset) oldest = oldest ? std::min(*oldest, *offset) : *offset;
  };
  for (const auto& [number, slot] : waiting_) {
    if (slot.segment) note(slot.segment->offset);
    if (slot.gap) note(slot.gap->offset);
  }
  for (const auto& [number, gap] : stated_) note(gap.offset);
  return oldest;
}

}  // namespace gopline::aggregator
