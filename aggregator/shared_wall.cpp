#include "aggregator/shared_wall.h"

#include <algorithm>

namespace gopline::aggregator {

bool SharedWall::push(std::size_t tile, Showing showing, const StopToken& stop) {
  std::unique_lock lock(mutex_);
  auto bytes = showing.picture.bytes();
  bool fits = room_.wait(lock, stop, [&] {
    auto waiting = wall_.waiting_bytes(tile);
    return waiting == 0 || waiting + bytes <= share_;
  });
  if (!fits) return false;
  wall_.push(tile, std::move(showing), clock_.steady_now());
  news_.notify_one();
  return true;
}

void SharedWall::hear(Timestamp time, const std::vector<float>& samples) {
  std::lock_guard lock(mutex_);
  auto bytes = samples.size() * sizeof(float);
  if (sound_.waiting_bytes() + bytes > kMostSound) {
    lost_sound_ += bytes;
    return;
  }
  sound_.push(time, samples);
}

void SharedWall::finish(std::size_t tile) {
  std::lock_guard lock(mutex_);
  wall_.finish(tile);
  news_.notify_one();
}

std::optional<WallInstant> SharedWall::next(const StopToken& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    auto now = clock_.steady_now();
    if (auto instant = wall_.pop(now)) {
      room_.notify_all();
      return instant;
    }
    if (wall_.is_over()) return std::nullopt;
    auto wait = kLongestWait;
    if (auto due = wall_.next_due())
      wait = std::clamp(std::chrono::ceil<Duration>(*due - now), Duration(0), kLongestWait);
    news_.wait_for(lock, stop, wait, [&] { return wall_.is_over() || wall_.can_pop(clock_.steady_now()); });
  }
  return std::nullopt;
}

std::vector<float> SharedWall::take_sound(Timestamp from, Timestamp until) {
  std::lock_guard lock(mutex_);
  return sound_.take(from, until);
}

TileStats SharedWall::stats(std::size_t tile) const {
  std::lock_guard lock(mutex_);
  return wall_.stats(tile);
}

std::size_t SharedWall::waiting_bytes(std::size_t tile) const {
  std::lock_guard lock(mutex_);
  return wall_.waiting_bytes(tile);
}

std::uint64_t SharedWall::lost_sound() const {
  std::lock_guard lock(mutex_);
  return lost_sound_;
}

}  // namespace gopline::aggregator
