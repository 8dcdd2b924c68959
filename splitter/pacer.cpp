#include "splitter/pacer.h"

namespace gopline::splitter {

bool Pacer::wait_for(const media::Packet& packet, const StopToken& stop) {
  auto ticks = packet.dts ? packet.dts : packet.pts;
  if (!ticks) return true;
  Duration media_time(
      rescale(*ticks, tracks_[static_cast<std::size_t>(packet.track)].time_base, {1, 1'000'000}));
  auto now = clock_.steady_now();
  auto due = started_ ? begin_ + (media_time - first_) : now;
  // After a jump in the timestamps, or after falling far behind, the pace begins anew.
  if (!started_ || due - now > std::chrono::seconds(10) || now - due > std::chrono::seconds(10)) {
    started_ = true;
    begin_ = now;
    first_ = media_time;
    return true;
  }
  if (now >= due) return !stop.stop_requested();
  due += lateness_;
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested() && clock_.steady_now() < due) {
    wake_.wait_for(lock, stop, due - clock_.steady_now(), [] { return false; });
  }
  return !stop.stop_requested();
}

}  // namespace gopline::splitter
