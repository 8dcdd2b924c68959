#include "splitter/packet_queue.h"

#include "common/base/handover_queue.h"
#include "splitter/byte_budget.h"
#include "splitter/pacer.h"

namespace gopline::splitter {
namespace {

// Handing over one packet costs about a microsecond: batches make that nothing.
constexpr std::size_t kBatchPackets = 64;
constexpr std::size_t kBatchBytes = 1 << 20;

}  // namespace

struct PacketQueue::State {
  State(media::Demuxer& source, const Clock& clock, ReadRate read_rate, std::size_t max_bytes)
      : demuxer(source), rate(read_rate), budget(max_bytes), pacer(clock, source.tracks()) {}

  media::Demuxer& demuxer;
  ReadRate rate;
  ByteBudget budget;
  Pacer pacer;
  HandoverQueue<std::unique_ptr<PacketBatch>> queue;
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
