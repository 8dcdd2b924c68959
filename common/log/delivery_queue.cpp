#include "common/log/delivery_queue.h"

#include <utility>

namespace gopline {

std::size_t record_bytes(const NewRecord& record) {
  auto bytes = record.key.size() + (record.value ? record.value->size() : 0);
  for (const auto& header : record.headers) bytes += header.name.size() + header.value.size();
  return bytes;
}

bool PendingBytes::wait(std::unique_lock<std::mutex>& lock, const StopToken& stop, Duration grace,
                        const std::function<bool()>& is_done) {
  if (changed_.wait(lock, stop, is_done)) return true;
  for (auto answered = given_back_;; answered = given_back_) {
    if (changed_.wait_for(lock, grace, [&] { return is_done() || given_back_ != answered; })) {
      if (is_done()) return true;
    } else {
      return false;
    }
  }
}

Result<PendingBytes::Share> PendingBytes::take(std::size_t bytes, const StopToken& stop, Duration grace) {
  std::unique_lock lock(mutex_);
  // No stop is a wait without a stop callback: registering one allocates.
  auto fits = [&] { return unanswered_.empty() || bytes_ + bytes <= limit_; };
  if (!fits()) {
    if (!wait(lock, stop, grace, fits)) {
      return fail(ErrorCode::kCancelled, "stopped while waiting for room in the log's writer");
    }
  }
  bytes_ += bytes;
  ++unanswered_[round_];
  return Share{bytes, round_};
}

void PendingBytes::give_back(const Share& share, const Result<Offset>& outcome) {
  {
    std::lock_guard lock(mutex_);
    bytes_ -= share.bytes;
    auto round = unanswered_.find(share.round);
    if (--round->second == 0) unanswered_.erase(round);
    ++given_back_;
    if (!outcome && !first_failure_) first_failure_ = outcome.error();
    // Notified under the lock: drain() may return and destroy this object as soon as it is released.
    changed_.notify_all();
  }
}

Result<void> PendingBytes::drain(const StopToken& stop, Duration grace) {
  std::unique_lock lock(mutex_);
  auto last = round_++;
  auto is_done = [&] { return unanswered_.empty() || unanswered_.begin()->first > last; };
  if (!wait(lock, stop, grace, is_done)) {
    std::size_t left = 0;
    for (const auto& [round, records] : unanswered_) left += round <= last ? records : 0;
    return fail(ErrorCode::kCancelled, "stopped while {} records were not acknowledged", left);
  }
  if (auto failure = std::exchange(first_failure_, std::nullopt))
    return tl::unexpected<Error>(std::move(*failure));
  return {};
}

DeliveryQueue::DeliveryQueue(std::size_t max_pending_bytes)
    : pending_(max_pending_bytes), thread_([this] { run(); }) {}

DeliveryQueue::~DeliveryQueue() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
    held_ = false;
  }
  changed_.notify_all();
  thread_.join();
}

void DeliveryQueue::push(PendingBytes::Share share, DeliveryCallback callback, Result<Offset> outcome) {
  {
    std::lock_guard lock(mutex_);
    deliveries_.push_back({share, std::move(callback), std::move(outcome)});
  }
  changed_.notify_all();
}

void DeliveryQueue::hold(bool held) {
  {
    std::lock_guard lock(mutex_);
    held_ = held;
  }
  changed_.notify_all();
}

void DeliveryQueue::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return !held_ && (ending_ || !deliveries_.empty()); });
    if (deliveries_.empty()) return;
    auto batch = std::exchange(deliveries_, {});
    lock.unlock();
    for (auto& delivery : batch) {
      if (delivery.callback) delivery.callback(delivery.outcome);
      delivery.callback = nullptr;  // what it holds is released before flush() returns
      pending_.give_back(delivery.share, delivery.outcome);
    }
    lock.lock();
  }
}

}  // namespace gopline
