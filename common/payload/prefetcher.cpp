#include "common/payload/prefetcher.h"

#include <algorithm>
#include <utility>

namespace gopline::payload {

Prefetcher::Prefetcher(PrefetchSettings settings) : settings_(settings) {}

Prefetcher::~Prefetcher() {
  clear();
  for (auto& thread : threads_) thread.request_stop();  // all of them, before the first is joined
}

void Prefetcher::add(PrefetchItem item) {
  std::lock_guard lock(mutex_);
  auto entry = std::make_shared<Entry>();
  entry->item = std::move(item);
  entry->stop = fetching_.get_token();
  entries_.push_back(std::move(entry));
  if (idle_ == 0 && threads_.size() < std::max<std::size_t>(settings_.threads, 1)) {
    threads_.emplace_back([this](const StopToken& ended) { work(ended); });
  }
  changed_.notify_all();
}

Result<Buffer> Prefetcher::next(StopToken stop) {
  std::unique_lock lock(mutex_);
  if (entries_.empty()) return fail(ErrorCode::kNotFound, "no payload was announced");
  auto entry = entries_.front();
  changed_.wait(lock, stop, [&] { return entry->done || entry->forgotten; });
  if (entry->forgotten) return fail(ErrorCode::kNotFound, "{}: no longer wanted", entry->item.key);
  if (!entry->done) {
    return fail(ErrorCode::kCancelled, "{}: stopped", entry->item.store->uri_of(entry->item.key));
  }
  entries_.pop_front();
  --begun_;
  if (entry->bytes) held_ -= entry->item.size;
  changed_.notify_all();
  return std::move(entry->bytes);
}

std::size_t Prefetcher::pending() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

void Prefetcher::clear() {
  StopSource before;
  {
    std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      auto& entry = *entries_[i];
      entry.forgotten = true;
      if (entry.done && entry.bytes) held_ -= entry.item.size;
    }
    entries_.clear();
    begun_ = 0;
    before = std::exchange(fetching_, StopSource());
    changed_.notify_all();
  }
  before.request_stop();  // without the lock: it runs what stores have registered with the token
}

// A thread's life: the next blob in order as soon as there is room for it.
void Prefetcher::work(const StopToken& ended) {
  std::unique_lock lock(mutex_);
  while (!ended.stop_requested()) {
    ++idle_;
    changed_.wait(lock, ended, [&] { return may_begin(); });
    --idle_;
    if (ended.stop_requested()) return;
    fetch(lock, entries_[begun_]);
  }
}

// What has ended badly holds no bytes, so an empty hold means that whatever next() waits for may begin.
bool Prefetcher::may_begin() const {
  if (begun_ >= entries_.size()) return false;
  auto size = entries_[begun_]->item.size;
  return held_ == 0 || (held_ < settings_.most_bytes && size <= settings_.most_bytes - held_);
}

void Prefetcher::fetch(std::unique_lock<std::mutex>& lock, EntryPtr entry) {
  const auto& item = entry->item;
  ++begun_;
  held_ += item.size;
  lock.unlock();
  auto bytes = item.store->get(item.key, {0, item.size}, entry->stop);
  lock.lock();
  if (entry->forgotten || !bytes) held_ -= item.size;
  entry->done = true;
  if (!entry->forgotten) entry->bytes = std::move(bytes);
  changed_.notify_all();
}

}  // namespace gopline::payload
