#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "common/base/clock.h"

namespace gopline::aggregator {

// Pieces of sound, each with its time, to one line without holes: silence where nothing is. A piece that is
// off by less than kTolerance follows the one before directly, so that times that tremble are not heard; one
// that is further off is where it says, and what of it comes too late is left out. Samples are interleaved.
// Pure. Not thread-safe.
class SoundLine {
 public:
  static constexpr int kRate = 48'000, kChannels = 2;
  static constexpr Duration kTolerance = std::chrono::milliseconds(20);

  void push(Timestamp time, const std::vector<float>& samples);
  // The sound of [from, until), where `from` is the `until` of the call before.
  std::vector<float> take(Timestamp from, Timestamp until);

  std::size_t waiting_bytes() const { return bytes_; }

 private:
  struct Piece {
    std::int64_t begin = 0;  // in samples of a channel, since 1970
    std::vector<float> samples;
    std::int64_t end() const { return begin + static_cast<std::int64_t>(samples.size()) / kChannels; }
  };

  std::deque<Piece> waiting_;
  std::int64_t end_ = 0;  // of the newest piece
  std::size_t bytes_ = 0;
};

}  // namespace gopline::aggregator
