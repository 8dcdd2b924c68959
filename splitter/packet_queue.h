#pragma once
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/media/demuxer.h"

namespace gopline::splitter {

// How fast a source is read.
enum class ReadRate {
  kMax,       // as fast as it comes
  kRealtime,  // a packet no sooner than its timestamp says
};

// What a source thread hands over: packets in order, then an end or an error.
struct PacketBatch {
  std::vector<media::Packet> packets;
  std::size_t bytes = 0;
  bool at_end = false;
  std::optional<Error> error;         // the source failed after `packets`
  std::uint64_t source_position = 0;  // bytes read so far
};

// Reads a demuxer on a thread of its own, a bounded number of bytes ahead. pop() is for one consumer thread.
class PacketQueue {
 public:
  PacketQueue(media::Demuxer& demuxer, const Clock& clock, ReadRate rate, std::size_t max_bytes);
  ~PacketQueue();  // stops and joins the reader

  // Waits for the next batch.
  PacketBatch pop();

  // Makes the reader end early; batches already read still come, then the end.
  void request_stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::jthread reader_;
};

}  // namespace gopline::splitter
