#include "splitter/claim_queue.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace gopline::splitter {
namespace {

// A record on its way, in the order of its coming.
struct Item {
  TopicPartition where;
  std::optional<ClaimedPayload> payload;  // until it is durable
  bool is_taken = false;                  // by a thread that puts it
  std::size_t bytes = 0;                  // of the payload, or of the record's value
  NewRecord record;
  DeliveryCallback on_delivery;
};

}  // namespace

struct ClaimQueue::State {
  State(LogWriter& w, payload::BlobStore& s, Options o) : writer(w), store(s), options(std::move(o)) {}

  LogWriter& writer;
  payload::BlobStore& store;
  const Options options;
  StopSource abandon;  // ends transfers under way

  std::mutex mutex;
  std::condition_variable_any changed;
  std::deque<std::shared_ptr<Item>> items;
  std::size_t pending_bytes = 0;
  std::optional<Error> failure;
  bool is_appending = false;  // the front item is with the writer
  bool is_ending = false;
  std::vector<std::jthread> threads;

  void put_payloads();
  void append_records();
  void fail_all(std::unique_lock<std::mutex>& lock, Error error);
  std::shared_ptr<Item> next_to_put();
  Result<void> wait_for_room(std::unique_lock<std::mutex>& lock, std::size_t bytes, const StopToken& stop);
};

// The oldest payload that nobody puts yet.
std::shared_ptr<Item> ClaimQueue::State::next_to_put() {
  auto found = std::find_if(items.begin(), items.end(),
                            [](const auto& item) { return item->payload && !item->is_taken; });
  return found == items.end() ? nullptr : *found;
}

void ClaimQueue::State::put_payloads() {
  std::unique_lock lock(mutex);
  for (;;) {
    std::shared_ptr<Item> item;
    changed.wait(lock, [&] { return is_ending || (item = next_to_put()); });
    if (is_ending) return;
    item->is_taken = true;
    lock.unlock();
    auto put = store.put(item->payload->key, item->payload->bytes, abandon.get_token());
    lock.lock();
    item->payload.reset();
    pending_bytes -= item->bytes;
    if (!put) fail_all(lock, std::move(put.error()));
    changed.notify_all();
  }
}

// Callbacks run without the lock: they may take others.
void ClaimQueue::State::fail_all(std::unique_lock<std::mutex>& lock, Error error) {
  if (!failure) failure = error;
  std::vector<std::shared_ptr<Item>> given_up;
  for (auto begin = items.begin() + (is_appending ? 1 : 0); begin != items.end(); ++begin) {
    given_up.push_back(*begin);
    // One that is being put is counted off by who puts it; one that was put has been.
    if (!(*begin)->is_taken) pending_bytes -= (*begin)->bytes;
  }
  items.erase(items.begin() + (is_appending ? 1 : 0), items.end());
  changed.notify_all();
  lock.unlock();
  for (auto& item : given_up) item->on_delivery(tl::unexpected<Error>(error));
  lock.lock();
}

void ClaimQueue::State::append_records() {
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [&] { return is_ending || (!items.empty() && !items.front()->payload); });
    if (is_ending) return;
    auto item = items.front();
    is_appending = true;
    lock.unlock();
    auto callback = item->on_delivery;
    auto appended = writer.append(item->where, std::move(item->record), std::move(item->on_delivery),
                                  abandon.get_token());
    if (!appended) callback(tl::unexpected<Error>(appended.error()));
    lock.lock();
    is_appending = false;
    if (!item->is_taken) pending_bytes -= item->bytes;
    items.pop_front();
    if (!appended) fail_all(lock, std::move(appended.error()));
    changed.notify_all();
  }
}

ClaimQueue::ClaimQueue(LogWriter& writer, payload::BlobStore& store, Options options)
    : state_(std::make_shared<State>(writer, store, std::move(options))) {
  for (int i = 0; i < kTransfers; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->put_payloads(); });
  }
  state_->threads.emplace_back([state = state_.get()] { state->append_records(); });
}

ClaimQueue::~ClaimQueue() {
  state_->abandon.request_stop();
  {
    std::lock_guard lock(state_->mutex);
    state_->is_ending = true;
  }
  state_->changed.notify_all();
  state_->threads.clear();  // joins
  std::unique_lock lock(state_->mutex);
  state_->fail_all(lock, {ErrorCode::kCancelled, "its writer has ended"});
}

Result<void> ClaimQueue::State::wait_for_room(std::unique_lock<std::mutex>& lock, std::size_t bytes,
                                              const StopToken& stop) {
  bool has_room = changed.wait(lock, stop, [&] {
    return failure || pending_bytes == 0 || pending_bytes + bytes <= options.max_pending_bytes;
  });
  if (failure) return tl::unexpected<Error>(*failure);
  if (!has_room) return fail(ErrorCode::kCancelled, "stopped while payloads were on their way to the store");
  pending_bytes += bytes;
  return {};
}

Result<void> ClaimQueue::append(const TopicPartition& where, ClaimedPayload payload, NewRecord record,
                                DeliveryCallback on_delivery, const StopToken& stop) {
  auto& s = *state_;
  auto bytes = payload.bytes.size();
  std::unique_lock lock(s.mutex);
  GOPLINE_TRY(s.wait_for_room(lock, bytes, stop));
  s.items.push_back(std::make_shared<Item>(
      Item{where, std::move(payload), false, bytes, std::move(record), std::move(on_delivery)}));
  s.changed.notify_all();
  return {};
}

Result<void> ClaimQueue::append(const TopicPartition& where, NewRecord record, DeliveryCallback on_delivery,
                                const StopToken& stop) {
  auto& s = *state_;
  std::unique_lock lock(s.mutex);
  if (s.items.empty()) {
    lock.unlock();
    return s.writer.append(where, std::move(record), std::move(on_delivery), stop);
  }
  auto bytes = record.value ? record.value->size() : 0;
  GOPLINE_TRY(s.wait_for_room(lock, bytes, stop));
  s.items.push_back(std::make_shared<Item>(
      Item{where, std::nullopt, false, bytes, std::move(record), std::move(on_delivery)}));
  s.changed.notify_all();
  return {};
}

// A store that answers gets everything even after a stop; one that does not is not waited for long.
Result<void> ClaimQueue::drain() {
  auto& s = *state_;
  std::unique_lock lock(s.mutex);
  auto is_empty = [&s] { return s.items.empty(); };
  s.changed.wait(lock, s.options.stop, is_empty);
  while (!is_empty()) {
    auto before = s.items.size();
    auto less = [&] { return s.items.size() < before; };
    if (!s.changed.wait_for(lock, s.options.stop_grace, less)) break;
  }
  if (!is_empty()) s.abandon.request_stop();
  s.changed.wait(lock, is_empty);
  if (s.failure) return tl::unexpected<Error>(*s.failure);
  return {};
}

}  // namespace gopline::splitter
