#include "aggregator/read_ahead.h"

#include <condition_variable>
#include <mutex>

#include "common/base/handover_queue.h"

namespace gopline::aggregator {
namespace {

// What an item keeps alive, not only what it shows: a segment may lie in a larger block.
std::size_t bytes_of(const Result<std::optional<StreamItem>>& item) {
  if (!item || !*item) return 0;
  const auto* segment = std::get_if<SegmentData>(&**item);
  return segment ? segment->pinned_bytes : 0;
}

}  // namespace

struct ReadAhead::State {
  using Item = Result<std::optional<StreamItem>>;

  State(StreamReader& source, std::size_t max_bytes) : reader(source), limit(max_bytes) {}

  StreamReader& reader;
  std::size_t limit;
  HandoverQueue<Item> queue;
  std::mutex mutex;
  std::condition_variable_any room;
  std::size_t held = 0;
  bool ended = false;    // the consumer has had the last item
  std::size_t lent = 0;  // bytes of the item that the consumer has now

  // Waits until `bytes` fit, or nothing else is held: a segment larger than the bound goes alone.
  bool acquire(std::size_t bytes, const StopToken& stop) {
    std::unique_lock lock(mutex);
    bool fits = room.wait(lock, stop, [&] { return held == 0 || held + bytes <= limit; });
    if (fits) held += bytes;
    return fits;
  }

  void release(std::size_t bytes) {
    std::lock_guard lock(mutex);
    held -= bytes;
    room.notify_one();
  }

  void run(const StopToken& stop) {
    moodycamel::ProducerToken token(queue);
    for (;;) {
      auto item = stop.stop_requested() ? Item(fail(ErrorCode::kCancelled, "stopped")) : reader.next();
      if (!acquire(bytes_of(item), stop)) item = fail(ErrorCode::kCancelled, "stopped");
      bool last = !item || !*item;
      queue.enqueue(token, std::move(item));
      if (last) return;
    }
  }
};

ReadAhead::ReadAhead(StreamReader& reader, std::size_t max_bytes)
    : state_(std::make_unique<State>(reader, max_bytes)),
      thread_([state = state_.get()](const StopToken& stop) { state->run(stop); }) {}

ReadAhead::~ReadAhead() = default;

Result<std::optional<StreamItem>> ReadAhead::next() {
  if (state_->ended) return std::nullopt;
  state_->release(std::exchange(state_->lent, 0));
  State::Item item;
  state_->queue.wait_dequeue(item);
  state_->lent = bytes_of(item);
  state_->ended = !item || !*item;
  return item;
}

StreamReaderStats ReadAhead::finish() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  return state_->reader.stats();
}

}  // namespace gopline::aggregator
