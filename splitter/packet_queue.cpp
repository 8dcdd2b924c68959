#include "splitter/packet_queue.h"

#include <blockingconcurrentqueue.h>

#include <condition_variable>
#include <mutex>

#include "splitter/byte_budget.h"

namespace gopline::splitter {
namespace {

// Handing over one packet costs about a microsecond: batches make that nothing.
constexpr std::size_t kBatchPackets = 64;
constexpr std::size_t kBatchBytes = 1 << 20;

// Holds packets back until the clock has come as far as their timestamps.
class Pacer {
 public:
  Pacer(const Clock& clock, const std::vector<media::Track>& tracks) : clock_(clock), tracks_(tracks) {}

  // False when stopped.
  bool wait_for(const media::Packet& packet, const StopToken& stop) {
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
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested() && clock_.steady_now() < due) {
      wake_.wait_for(lock, stop, due - clock_.steady_now(), [] { return false; });
    }
    return !stop.stop_requested();
  }

 private:
  const Clock& clock_;
  const std::vector<media::Track>& tracks_;
  bool started_ = false;
  SteadyTime begin_{};
  Duration first_{};
  std::mutex mutex_;
  std::condition_variable_any wake_;
};

}  // namespace

struct PacketQueue::State {
  State(media::Demuxer& source, const Clock& clock, ReadRate read_rate, std::size_t max_bytes)
      : demuxer(source), rate(read_rate), budget(max_bytes), pacer(clock, source.tracks()) {}

  media::Demuxer& demuxer;
  ReadRate rate;
  ByteBudget budget;
  Pacer pacer;
  moodycamel::BlockingConcurrentQueue<std::unique_ptr<PacketBatch>> queue;
  std::size_t lent = 0;  // bytes of the batch that the consumer has now

  void run(const StopToken& stop) {
    moodycamel::ProducerToken token(queue);
    auto batch = std::make_unique<PacketBatch>();
    auto hand_over = [&] {
      batch->source_position = demuxer.bytes_read();
      bool taken = budget.acquire(batch->bytes, stop);
      bool at_end = batch->at_end;
      if (!taken) batch->bytes = 0;  // stopping: what was read is still handed over, beyond the bound
      queue.enqueue(token, std::move(batch));
      batch = std::make_unique<PacketBatch>();
      return taken && !at_end;
    };
    for (;;) {
      auto packet = demuxer.read();
      bool stopped = stop.stop_requested();
      if (packet && *packet && !stopped) {
        if (rate == ReadRate::kRealtime && !pacer.wait_for(**packet, stop)) stopped = true;
        batch->bytes += (*packet)->data.size();
        batch->packets.push_back(*std::move(*packet));
        bool full = batch->packets.size() >= kBatchPackets || batch->bytes >= kBatchBytes ||
                    rate == ReadRate::kRealtime;
        if (!stopped && (!full || hand_over())) continue;
        if (batch->packets.empty())
          return end(token);  // the full batch went out beyond the bound, on stopping
      }
      batch->at_end = true;
      if (!packet && packet.error().code != ErrorCode::kCancelled) batch->error = packet.error();
      hand_over();
      return;
    }
  }

  void end(moodycamel::ProducerToken& token) {
    auto last = std::make_unique<PacketBatch>();
    last->at_end = true;
    queue.enqueue(token, std::move(last));
  }
};

PacketQueue::PacketQueue(media::Demuxer& demuxer, const Clock& clock, ReadRate rate, std::size_t max_bytes)
    : state_(std::make_unique<State>(demuxer, clock, rate, max_bytes)),
      reader_([state = state_.get()](const StopToken& stop) { state->run(stop); }) {}

PacketQueue::~PacketQueue() = default;

PacketBatch PacketQueue::pop() {
  state_->budget.release(std::exchange(state_->lent, 0));
  std::unique_ptr<PacketBatch> batch;
  state_->queue.wait_dequeue(batch);
  state_->lent = batch->bytes;
  return std::move(*batch);
}

void PacketQueue::request_stop() {
  reader_.request_stop();
}

}  // namespace gopline::splitter
