#pragma once
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "aggregator/mosaic/sound_line.h"
#include "aggregator/mosaic/wall.h"
#include "common/base/clock.h"
#include "common/base/stop_signal.h"

namespace gopline::aggregator {

// A Wall between the threads that decode, which wait while what they have pushed is too much, and the one
// that composes, which waits for the next instant. Thread-safe.
class SharedWall {
 public:
  // `max_bytes`: of pictures that wait, over all tiles; each has its share, and one picture at least.
  SharedWall(std::size_t tiles, Axis axis, WallOptions options, std::size_t max_bytes, const Clock& clock)
      : wall_(tiles, axis, options), share_(max_bytes / tiles), clock_(clock) {}

  // Waits for room. False: there was none before `stop`.
  bool push(std::size_t tile, Showing showing, const StopToken& stop);
  // Sound does not wait; beyond kMostSound what is new is dropped and counted.
  void hear(Timestamp time, const std::vector<float>& samples);
  void finish(std::size_t tile);

  // Waits for the next instant. nullopt: there is none any more, or `stop`.
  std::optional<WallInstant> next(const StopToken& stop);
  std::vector<float> take_sound(Timestamp from, Timestamp until);

  TileStats stats(std::size_t tile) const;
  std::size_t waiting_bytes(std::size_t tile) const;
  std::uint64_t lost_sound() const;

 private:
  static constexpr std::size_t kMostSound = 64 << 20;
  static constexpr Duration kLongestWait = std::chrono::seconds(1);

  mutable std::mutex mutex_;
  std::condition_variable_any room_, news_;
  Wall wall_;
  SoundLine sound_;
  std::uint64_t lost_sound_ = 0;
  std::size_t share_;
  const Clock& clock_;
};

}  // namespace gopline::aggregator
