#pragma once
#include <cstddef>
#include <exception>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "common/base/result.h"

namespace gopline::server {

// What is dear to make and wanted by many: made once, by whoever asks first, while the others wait for it;
// the ones used last kept within a bound in bytes. What failed is tried again when it is next asked for.
// Thread-safe.
template <typename Key, typename Value>
class OnceCache {
 public:
  using Ptr = std::shared_ptr<const Value>;

  explicit OnceCache(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  // `make` gives a Result<Ptr>, `size_of` the bytes that it keeps alive. Blocks.
  template <typename Make, typename SizeOf>
  Result<Ptr> get(const Key& key, Make make, SizeOf size_of) {
    std::promise<Result<Ptr>> promise;
    {
      std::unique_lock lock(mutex_);
      if (auto found = by_key_.find(key); found != by_key_.end()) {
        used_.splice(used_.begin(), used_, found->second);
        auto value = found->second->value;
        lock.unlock();
        return value.get();  // waits for whoever makes it
      }
      used_.push_front({key, promise.get_future().share(), 0});
      by_key_[key] = used_.begin();
    }
    Result<Ptr> made = tl::unexpected<Error>(Error{});
    try {
      made = make();
    } catch (const std::exception& thrown) {
      made = fail(ErrorCode::kInternal, "{}", thrown.what());
    }
    settle(key, made ? size_of(**made) + 1 : 0);
    promise.set_value(made);
    return made;
  }

 private:
  struct Kept {
    Key key;
    std::shared_future<Result<Ptr>> value;
    std::size_t bytes = 0;  // 0: still being made
  };

  // `bytes` 0: it failed.
  void settle(const Key& key, std::size_t bytes) {
    std::lock_guard lock(mutex_);
    auto place = by_key_.at(key);
    if (bytes == 0) {
      used_.erase(place);
      by_key_.erase(key);
      return;
    }
    place->bytes = bytes;
    bytes_ += bytes;
    for (auto oldest = used_.end(); bytes_ > most_bytes_ && oldest != used_.begin();) {
      --oldest;
      if (oldest->bytes == 0) continue;
      bytes_ -= oldest->bytes;
      by_key_.erase(oldest->key);
      oldest = used_.erase(oldest);
    }
  }

  const std::size_t most_bytes_;
  std::mutex mutex_;
  std::list<Kept> used_;  // the one used last comes first
  std::map<Key, typename std::list<Kept>::iterator> by_key_;
  std::size_t bytes_ = 0;
};

}  // namespace gopline::server
