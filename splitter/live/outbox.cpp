#include "splitter/live/outbox.h"

#include <algorithm>

namespace gopline::splitter {
namespace {

bool is_segment(const OutboxItem& item) {
  return std::holds_alternative<LiveSegment>(item);
}

}  // namespace

void Outbox::push(OutboxItem item) {
  std::lock_guard lock(mutex_);
  if (const auto* segment = std::get_if<LiveSegment>(&item)) usage_.bytes += segment->segment.bytes.size();
  items_.push_back(std::move(item));
  while (usage_.bytes > max_bytes_) drop_oldest_gop();
  changed_.notify_one();
}

void Outbox::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_one();
}

std::optional<OutboxItem> Outbox::pop(const StopToken& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [&] { return !items_.empty() || closed_; });
  if (items_.empty() || stop.stop_requested()) return std::nullopt;
  auto item = std::move(items_.front());
  items_.pop_front();
  if (const auto* segment = std::get_if<LiveSegment>(&item)) usage_.bytes -= segment->segment.bytes.size();
  return item;
}

Outbox::Usage Outbox::usage() const {
  std::lock_guard lock(mutex_);
  auto usage = usage_;
  auto oldest = std::ranges::find_if(items_, is_segment);
  if (oldest != items_.end()) usage.oldest = std::get<LiveSegment>(*oldest).time;
  return usage;
}

void Outbox::drop_oldest_gop() {
  auto first = std::ranges::find_if(items_, is_segment);
  auto last = first;
  std::optional<record::GapFacts> gap;
  do {
    const auto& dropped = std::get<LiveSegment>(*last);
    auto size = dropped.segment.bytes.size();
    gap = record::joined(gap, {record::GapCause::kOverBudget, dropped.time, dropped.end, size});
    usage_.bytes -= size;
    usage_.dropped_bytes += size;
    ++usage_.dropped_segments;
    ++last;
    metrics_.dropped_bytes[DropCause::kOverBytes].add(static_cast<double>(size));
  } while (last != items_.end() && std::holds_alternative<LiveSegment>(*last) &&
           std::get<LiveSegment>(*last).segment.sap == 0);
  metrics_.dropped_gops[DropCause::kOverBytes].add();
  auto place = items_.erase(first, last);
  // Beside the gap that the GOP before has left, one gap.
  if (place != items_.begin()) {
    if (auto* before = std::get_if<record::GapFacts>(&*std::prev(place));
        before && before->cause == record::GapCause::kOverBudget) {
      *before = record::joined(*before, *gap);
      return;
    }
  }
  items_.insert(place, *gap);
}

}  // namespace gopline::splitter
