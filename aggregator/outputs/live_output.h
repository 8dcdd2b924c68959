#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/media/network_muxer.h"
#include "common/media/types.h"

namespace gopline::aggregator {

using media::LivePacket;

// A run of packets: its tracks, and the capture time of the timeline's zero.
struct LiveRun {
  std::vector<media::Track> tracks;
  Timestamp zero;
};

struct LiveOutputStats {
  std::uint64_t sent_packets = 0;
  std::uint64_t sent_bytes = 0;           // as they left, with what the container adds
  std::uint64_t dropped_packets = 0;      // that came while nobody took them
  std::uint64_t dropped_bytes = 0;        // of their payload
  std::uint64_t left_out_packets = 0;     // of tracks that the output has no word for
  std::uint64_t slow_client_packets = 0;  // a server's, for clients that did not keep up; others had them
  std::uint64_t connections = 0;          // made; of a server: clients that began to play
};

// Where the packets of one stream's timeline go. For one thread, but for stats().
class LiveOutput {
 public:
  virtual ~LiveOutput() = default;  // without finish(): at once
  // kUnsupported: the main track cannot go there.
  virtual Result<void> begin_run(LiveRun run) = 0;
  // Of the run, per track in the order of dts. May wait while the queue is full of what is not due yet.
  virtual Result<void> write(LivePacket packet) = 0;
  virtual Result<void> finish() = 0;  // returns when all that is due has left, or at once when stopped
  virtual LiveOutputStats stats() const = 0;
};

// What takes packets when they are due. For one thread, but for check() and stats().
class LiveDelivery {
 public:
  virtual ~LiveDelivery() = default;
  virtual Result<void> check(const LiveRun& run) const = 0;
  virtual void begin_run(const LiveRun& run) = 0;
  // May take as long as a receiver may be silent. An error ends the output.
  virtual Result<void> deliver(const LivePacket& packet) = 0;
  virtual void finish() = 0;
  virtual LiveOutputStats stats() const = 0;
};

}  // namespace gopline::aggregator
