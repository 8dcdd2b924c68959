#include "aggregator/outputs/paced_output.h"

#include <algorithm>
#include <utility>

#include "common/base/logging.h"

namespace gopline::aggregator {

PacedOutput::PacedOutput(std::unique_ptr<LiveDelivery> delivery, PacedOptions options, const Clock& clock,
                         StopToken stop)
    : delivery_(std::move(delivery)), options_(std::move(options)), clock_(clock), stop_(std::move(stop)) {
  thread_ = std::jthread([this](const StopToken& ending) {
    StopSource either;
    std::stop_callback by_owner(ending, [&] { either.request_stop(); });
    std::stop_callback by_user(stop_, [&] { either.request_stop(); });
    send(either.get_token());
  });
}

PacedOutput::~PacedOutput() = default;

// ---- the writer's side

Result<void> PacedOutput::begin_run(LiveRun run) {
  GOPLINE_TRY(delivery_->check(run));
  Lock lock(mutex_);
  if (failure_) return tl::unexpected(*failure_);
  main_ = media::main_track_of(run.tracks);
  queue_.push_back(Item{std::move(run), {}, 0, false});
  notify();
  return {};
}

Result<void> PacedOutput::write(LivePacket packet) {
  Lock lock(mutex_);
  Item item{std::nullopt, std::move(packet), 0, false};
  item.dts_us = item.packet.packet.dts.value_or(item.packet.packet.pts.value_or(0));
  item.begins_gop = item.packet.packet.track == main_ && item.packet.packet.is_key();
  while (!queue_.empty() && bytes_ + item.size() > options_.max_bytes && !failure_ &&
         !stop_.stop_requested()) {
    if (is_late(clock_.steady_now())) {
      dropping_ = true;
      while (drops_oldest(clock_.steady_now())) {
      }
    } else {
      wait(lock, stop_, options_.most_behind);
    }
  }
  if (failure_) return tl::unexpected(*failure_);
  if (stop_.stop_requested()) return {};  // nothing is sent any more; who asked to stop will see to the rest
  pace_.arrived(item.dts_us, clock_.steady_now());
  enqueue(std::move(item));
  notify();
  return {};
}

// In the order of dts over the tracks of a run, for lumps of them come one behind the other.
void PacedOutput::enqueue(Item item) {
  bytes_ += item.size();
  auto at = queue_.end();
  while (at != queue_.begin()) {
    const auto& before = *std::prev(at);
    bool stays = before.run || before.dts_us <= item.dts_us || item.packet.discontinuity ||
                 before.packet.discontinuity || before.packet.packet.track == item.packet.packet.track;
    if (stays) break;
    --at;
  }
  queue_.insert(at, std::move(item));
}

Result<void> PacedOutput::finish() {
  {
    Lock lock(mutex_);
    finishing_ = true;
    notify();
  }
  if (thread_.joinable()) thread_.join();
  if (failure_) return tl::unexpected(*failure_);
  return {};
}

LiveOutputStats PacedOutput::stats() const {
  auto stats = delivery_->stats();
  Lock lock(mutex_);
  stats.dropped_packets += dropped_packets_;
  stats.dropped_bytes += dropped_bytes_;
  return stats;
}

// ---- the thread that sends

void PacedOutput::send(const StopToken& stop) {
  Lock lock(mutex_);
  while (wait_until_due(lock, stop)) {
    if (queue_.front().run) {
      auto run = *pop().run;
      lock.unlock();
      delivery_->begin_run(run);
      lock.lock();
      continue;
    }
    auto now = clock_.steady_now();
    if (!dropping_ && is_late(now)) {
      log_warning(options_.stream, "the output is {:g} s behind: goes on at the newest key frame",
                  std::chrono::duration<double>(options_.most_behind).count());
      dropping_ = true;
    }
    if (dropping_ && drops_oldest(now)) continue;
    auto packet = pop().packet;
    packet.discontinuity = packet.discontinuity || std::exchange(something_went_, false);
    lock.unlock();
    auto delivered = delivery_->deliver(packet);
    lock.lock();
    if (!delivered) {
      failure_ = delivered.error();
      notify();
      break;
    }
  }
  lock.unlock();
  delivery_->finish();
}

// False: there is nothing more to send.
bool PacedOutput::wait_until_due(Lock& lock, const StopToken& stop) {
  while (!stop.stop_requested()) {
    if (queue_.empty()) {
      if (finishing_) return false;
      wait(lock, stop, options_.most_behind);
      continue;
    }
    const auto& front = queue_.front();
    if (front.run) return true;
    auto now = clock_.steady_now();
    auto due = pace_.due(front.dts_us);
    // A hole that is long by its timestamps, and not by the clock: footage of the past is played.
    if (front.packet.discontinuity && last_due_ && due - std::max(*last_due_, now) > options_.longest_pause) {
      pace_.skip_to(front.dts_us, now);
      due = now;
    }
    if (due <= now) {
      last_due_ = due;
      return true;
    }
    wait(lock, stop, std::chrono::ceil<Duration>(due - now));
  }
  return false;
}

// Until something changes, or for so long.
void PacedOutput::wait(Lock& lock, const StopToken& stop, Duration most) {
  changed_.wait_for(lock, stop, most, [this, seen = changes_] { return changes_ != seen; });
}

void PacedOutput::notify() {
  ++changes_;
  changed_.notify_all();
}

bool PacedOutput::is_late(SteadyTime now) const {
  auto oldest = std::ranges::find_if(queue_, [](const Item& item) { return !item.run; });
  return oldest != queue_.end() && now - pace_.due(oldest->dts_us) > options_.most_behind;
}

// While dropping: whether a packet went. If not, the oldest is one at which the output can go on.
bool PacedOutput::drops_oldest(SteadyTime now) {
  auto oldest = std::ranges::find_if(queue_, [](const Item& item) { return !item.run; });
  if (oldest == queue_.end()) return false;
  if (oldest->begins_gop && now - pace_.due(oldest->dts_us) <= options_.most_behind) {
    dropping_ = false;
    return false;
  }
  ++dropped_packets_;
  dropped_bytes_ += oldest->size();
  bytes_ -= oldest->size();
  something_went_ = true;
  queue_.erase(oldest);
  notify();
  return true;
}

PacedOutput::Item PacedOutput::pop() {
  auto item = std::move(queue_.front());
  queue_.pop_front();
  bytes_ -= item.size();
  notify();
  return item;
}

}  // namespace gopline::aggregator
