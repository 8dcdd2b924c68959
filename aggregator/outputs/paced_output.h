#pragma once
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "aggregator/outputs/live_output.h"
#include "aggregator/outputs/send_pace.h"
#include "common/base/stop_signal.h"

namespace gopline::aggregator {

struct PacedOptions {
  std::string stream;                                // for messages
  std::size_t max_bytes = 32 << 20;                  // that wait
  Duration most_behind = std::chrono::seconds(10);   // what is later is not sent any more
  Duration longest_pause = std::chrono::seconds(5);  // of a hole in the timeline that is behind the clock
};

// Hands packets to a delivery when they are due, on a thread of its own. When the queue is full, a writer
// that is ahead of the clock waits; when it is full because the delivery does not keep up, the oldest packets
// go, up to a key frame of the main track, and so do those that are later than `most_behind`. What goes is
// counted, and the next packet is marked as a discontinuity.
class PacedOutput final : public LiveOutput {
 public:
  PacedOutput(std::unique_ptr<LiveDelivery> delivery, PacedOptions options, const Clock& clock,
              StopToken stop);
  ~PacedOutput() override;

  Result<void> begin_run(LiveRun run) override;
  Result<void> write(LivePacket packet) override;
  Result<void> finish() override;
  LiveOutputStats stats() const override;

 private:
  struct Item {
    std::optional<LiveRun> run;  // instead of a packet
    LivePacket packet;
    std::int64_t dts_us = 0;
    bool begins_gop = false;  // of the main track
    std::size_t size() const { return packet.packet.data.size(); }
  };
  using Lock = std::unique_lock<std::mutex>;

  void send(const StopToken& stop);
  bool wait_until_due(Lock& lock, const StopToken& stop);
  bool is_late(SteadyTime now) const;
  bool drops_oldest(SteadyTime now);
  void enqueue(Item item);
  Item pop();
  void wait(Lock& lock, const StopToken& stop, Duration most);
  void notify();

  const std::unique_ptr<LiveDelivery> delivery_;
  const PacedOptions options_;
  const Clock& clock_;
  const StopToken stop_;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Item> queue_;
  std::size_t bytes_ = 0;
  SendPace pace_;
  unsigned changes_ = 0;
  int main_ = 0;  // main track of the run that is written
  std::optional<SteadyTime> last_due_;
  bool dropping_ = false;        // until the next key frame of the main track
  bool something_went_ = false;  // before the oldest
  bool finishing_ = false;
  std::uint64_t dropped_packets_ = 0, dropped_bytes_ = 0;
  std::optional<Error> failure_;
  std::jthread thread_;  // the last member: it uses all others
};

}  // namespace gopline::aggregator
