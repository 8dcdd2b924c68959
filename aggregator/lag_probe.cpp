#include "aggregator/lag_probe.h"

namespace gopline::aggregator {

LagProbe::LagProbe(Log& log, TopicPartition where, Duration every)
    : log_(log),
      where_(std::move(where)),
      every_(every),
      thread_([this](const StopToken& stop) { run(stop); }) {}

std::optional<Offset> LagProbe::end() const {
  std::lock_guard lock(mutex_);
  return end_;
}

void LagProbe::run(const StopToken& stop) {
  while (!stop.stop_requested()) {
    auto kept = log_.offsets(where_);  // a log that is away is no news
    std::unique_lock lock(mutex_);
    if (kept) end_ = kept->end;
    wakeup_.wait_for(lock, stop, every_, [] { return false; });
  }
}

}  // namespace gopline::aggregator
