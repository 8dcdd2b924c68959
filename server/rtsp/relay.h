#pragma once
#include <gst/app/gstappsrc.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "aggregator/outputs/live_output.h"
#include "common/base/result.h"
#include "server/rtsp/handles.h"

namespace gopline::server {

// One client's pipeline, as far as packets go into it.
struct Watcher {
  std::vector<GPtr<GstAppSrc>> sources;  // by track of the run; null: not offered to this client
  std::uint64_t run = 0;                 // of which it was told the tracks
  bool waits_for_key = true;
};

// The newest GOP of a stream, and who watches. A watcher begins at the GOP's key frame and gets every packet
// after it. One that does not keep up is left out until a key frame comes when it has caught up; it holds
// nobody. Bounded in bytes: the GOP, and what waits in each pipeline. Thread-safe.
class Relay {
 public:
  // A longer GOP goes to those who watch, and is kept for nobody else.
  static constexpr std::size_t kMostGopBytes = 16 << 20;
  // In a client's pipeline, the GOP with which it begins included.
  static constexpr std::uint64_t kMostWaitingBytes = 32 << 20;

  explicit Relay(std::string stream) : stream_(std::move(stream)) {}

  // Whether watchers were told of other tracks than these, and have to go.
  bool begin_run(const aggregator::LiveRun& run);
  Result<void> take(const aggregator::LivePacket& packet);

  // What a client may be offered now: tracks of which this GOP or the one before has packets, for a client is
  // answered when every track that it is offered has shown one. Empty: nothing yet.
  std::vector<std::size_t> offer();
  std::vector<media::Track> tracks();
  std::uint64_t run();
  Timestamp base();  // capture time of a pipeline's zero that begins now

  // Its sources take packets already.
  void join(const std::shared_ptr<Watcher>& watcher);
  void leave(const std::shared_ptr<Watcher>& watcher);

  aggregator::LiveOutputStats stats();

 private:
  struct Sample {
    std::size_t track;
    std::int64_t pts_us;
    bool key, discontinuity;
    std::shared_ptr<GstMemory> payload;
  };
  static void hand(const Watcher& watcher, const Sample& sample);
  static std::uint64_t waiting_bytes(const Watcher& watcher);

  const std::string stream_;
  std::mutex mutex_;
  std::vector<media::Track> tracks_;
  std::uint64_t run_ = 0;  // of tracks that are the same to clients
  Timestamp zero_;
  int main_ = 0;
  std::deque<Sample> gop_;
  std::size_t gop_bytes_ = 0;
  std::set<std::size_t> heard_, heard_before_;  // tracks, in this GOP and in the one before
  std::vector<std::shared_ptr<Watcher>> watchers_;
  aggregator::LiveOutputStats stats_;
};

}  // namespace gopline::server
