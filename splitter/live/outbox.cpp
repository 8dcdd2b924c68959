#include "splitter/live/outbox.h"

#include <algorithm>

#include "common/base/logging.h"

namespace gopline::splitter {
namespace {

bool is_segment(const OutboxEntry& entry) {
  return std::holds_alternative<LiveSegment>(entry.item);
}
std::uint64_t size_of(const OutboxItem& item) {
  const auto* segment = std::get_if<LiveSegment>(&item);
  return segment ? segment->segment.bytes.size() : 0;
}

}  // namespace

Outbox::Outbox(OutboxLimits limits, StreamMetrics metrics, std::unique_ptr<Spill> spill)
    : limits_(limits), metrics_(std::move(metrics)), spill_(std::move(spill)) {
  if (spill_) next_ = (spill_->newest_number() / 4 + 1) * 4 + 4;
}

void Outbox::push(OutboxItem item) {
  std::lock_guard lock(mutex_);
  OutboxEntry entry{next_, std::move(item)};
  next_ += 4;
  if (const auto* begin = std::get_if<EpochBegin>(&entry.item)) {
    begin_ = *begin;
    begin_is_spilled_ = false;
  }
  auto size = size_of(entry.item);
  if (spills(size)) {
    spill(std::move(entry));
  } else {
    memory_bytes_ += size;
    if (untold_) items_.push_back({entry.number - 1, *std::exchange(untold_, std::nullopt)});
    items_.push_back(std::move(entry));
    while (memory_bytes_ > limits_.memory_bytes) drop_oldest_gop();
  }
  changed_.notify_one();
}

// Once something is on disk, everything behind it goes there too, so that the row stays one.
bool Outbox::spills(std::uint64_t size) const {
  return spill_ && (!spill_->empty() || memory_bytes_ + size > limits_.memory_bytes);
}

void Outbox::spill(OutboxEntry entry) {
  if (spill_->empty()) begin_is_spilled_ = false;  // what was there has been taken
  bool is_begin = std::holds_alternative<EpochBegin>(entry.item);
  Result<void> written;
  if (begin_ && !begin_is_spilled_ && !is_begin) {
    auto begin = *begin_;
    begin.repeats = true;
    written = spill_->push({entry.number - 2, std::move(begin)});
  }
  if (written && untold_) written = spill_->push({entry.number - 1, *untold_});
  if (written) {
    untold_.reset();
    written = spill_->push(entry);
  }
  begin_is_spilled_ = written.has_value();
  if (!written) {
    log_warning("spill", "{}", written.error().message);
    const auto* live = std::get_if<LiveSegment>(&entry.item);
    if (!live) return;
    auto size = size_of(entry.item);
    record::GapFacts gap{record::GapCause::kOverBudget, live->time, live->end, size};
    untold_ = record::joined(untold_, gap);
    count({gap, 1, size});
    return;
  }
  if (const auto* live = std::get_if<LiveSegment>(&entry.item)) keep_spill_in_bounds(live->end);
}

void Outbox::keep_spill_in_bounds(Timestamp newest) {
  for (;;) {
    auto oldest = spill_->oldest();
    bool is_old = oldest && newest - *oldest > limits_.spill_age;
    if (spill_->bytes() <= limits_.spill_bytes && !is_old) return;
    auto dropped = spill_->drop_oldest_gop();
    if (!dropped) return;
    count(*dropped);
  }
}

void Outbox::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  if (untold_) items_.push_back({next_, *std::exchange(untold_, std::nullopt)});
  changed_.notify_one();
}

std::optional<OutboxEntry> Outbox::pop(const StopToken& stop) {
  std::unique_lock lock(mutex_);
  for (;;) {
    auto has_spilled = [&] { return spill_ && !spill_->empty(); };
    changed_.wait(lock, stop, [&] { return !items_.empty() || has_spilled() || closed_; });
    if (stop.stop_requested()) return std::nullopt;
    if (!items_.empty()) {
      auto entry = std::move(items_.front());
      items_.pop_front();
      memory_bytes_ -= size_of(entry.item);
      return entry;
    }
    if (!has_spilled()) return std::nullopt;
    auto entry = spill_->pop();
    if (entry) return std::move(*entry);
    log_warning("spill", "{}; it is set aside", entry.error().message);
  }
}

void Outbox::done(std::uint64_t number) {
  std::lock_guard lock(mutex_);
  if (spill_) spill_->done(number);
}

void Outbox::drop(const OutboxEntry& entry) {
  std::lock_guard lock(mutex_);
  auto size = size_of(entry.item);
  dropped_bytes_ += size;  // of a GOP that is counted
  metrics_.dropped_bytes[DropCause::kOverBytes].add(static_cast<double>(size));
  if (spill_) spill_->done(entry.number);
}

bool Outbox::keep(std::deque<OutboxEntry> popped, const std::optional<EpochBegin>& begin) {
  std::lock_guard lock(mutex_);
  for (auto& entry : items_) popped.push_back(std::move(entry));
  items_.clear();
  memory_bytes_ = 0;
  if (!spill_) return popped.empty();
  // What comes first has to be told what it is part of.
  if (!popped.empty() && begin && !std::holds_alternative<EpochBegin>(popped.front().item)) {
    auto again = *begin;
    again.repeats = true;
    if (!spill_->push({popped.front().number - 2, std::move(again)})) return false;
  }
  for (auto& entry : popped) {
    if (auto written = spill_->push(entry); !written) {
      log_warning("spill", "{}", written.error().message);
      return false;
    }
  }
  return true;
}

Outbox::Usage Outbox::usage() const {
  std::lock_guard lock(mutex_);
  Usage usage{memory_bytes_, 0, dropped_bytes_, dropped_segments_, {}};
  if (spill_) {
    usage.spilled_bytes = spill_->bytes();
    usage.bytes += usage.spilled_bytes;
    usage.oldest = spill_->oldest();
  }
  auto oldest = std::ranges::find_if(items_, is_segment);
  if (oldest != items_.end()) usage.oldest = std::get<LiveSegment>(oldest->item).time;
  return usage;
}

void Outbox::count(const DroppedGop& dropped) {
  dropped_bytes_ += dropped.bytes;
  dropped_segments_ += dropped.segments;
  metrics_.dropped_bytes[DropCause::kOverBytes].add(static_cast<double>(dropped.bytes));
  metrics_.dropped_gops[DropCause::kOverBytes].add();
}

void Outbox::drop_oldest_gop() {
  auto first = std::ranges::find_if(items_, is_segment);
  auto number = first->number;
  auto last = first;
  DroppedGop dropped;
  std::optional<record::GapFacts> gap;
  do {
    const auto& live = std::get<LiveSegment>(last->item);
    auto size = live.segment.bytes.size();
    gap = record::joined(gap, {record::GapCause::kOverBudget, live.time, live.end, size});
    memory_bytes_ -= size;
    dropped.bytes += size;
    ++dropped.segments;
    ++last;
  } while (last != items_.end() && is_segment(*last) && std::get<LiveSegment>(last->item).segment.sap == 0);
  dropped.gap = *gap;
  count(dropped);
  auto place = items_.erase(first, last);
  // Beside the gap that the GOP before has left, one gap.
  if (place != items_.begin()) {
    if (auto* before = std::get_if<record::GapFacts>(&std::prev(place)->item);
        before && before->cause == record::GapCause::kOverBudget) {
      *before = record::joined(*before, *gap);
      return;
    }
  }
  items_.insert(place, {number, *gap});
}

}  // namespace gopline::splitter
