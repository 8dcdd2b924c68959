#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "aggregator/outputs/backoff.h"
#include "aggregator/outputs/live_output.h"
#include "common/base/stop_signal.h"
#include "common/media/network_muxer.h"

namespace gopline::aggregator {

struct PushOptions {
  std::string stream;  // for messages
  media::NetworkTarget target;
  bool tries_again = true;  // else a receiver that cannot be reached, or goes away, is an error
};

// Pushes to one receiver. One that goes away is connected to again, with backoff, and gets what follows the
// next key frame; what is due meanwhile is dropped, counted and said.
class PushDelivery final : public LiveDelivery {
 public:
  using Connect = std::function<Result<std::unique_ptr<media::NetworkMuxer>>(
      const std::vector<media::Track>& tracks, Timestamp zero, const StopToken& stop)>;

  // `connect`: of media::NetworkMuxer, unless a test says otherwise.
  PushDelivery(PushOptions options, const Clock& clock, StopToken stop, Connect connect = {});

  Result<void> check(const LiveRun& run) const override;
  void begin_run(const LiveRun& run) override;
  Result<void> deliver(const LivePacket& packet) override;
  void finish() override;
  LiveOutputStats stats() const override;

 private:
  Result<void> connect();
  Result<void> lose(const Error& why);
  void drop(const LivePacket& packet);

  const PushOptions options_;
  const Clock& clock_;
  const StopToken stop_;
  const Connect connect_;
  LiveRun run_;
  std::vector<bool> carried_;
  int main_ = 0;
  std::unique_ptr<media::NetworkMuxer> muxer_;
  bool waits_for_key_ = true;
  Backoff backoff_;
  SteadyTime connected_{}, next_attempt_{};
  std::uint64_t bytes_before_ = 0;        // over connections that are gone
  std::uint64_t dropped_since_said_ = 0;  // packets

  struct Counters {
    std::atomic<std::uint64_t> sent_packets, sent_bytes, dropped_packets, dropped_bytes, left_out,
        connections;
  };
  Counters counters_{};
};

}  // namespace gopline::aggregator
