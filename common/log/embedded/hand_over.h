#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <iterator>
#include <mutex>
#include <utility>

namespace gopline::embedded {

// Hands items, which know their `bytes`, from one thread to the next in batches: the taker gets them when
// there are `enough` bytes to be worth its work, or when the giver has nothing more at the moment.
// Thread-safe.
template <typename Item>
class HandOver {
 public:
  using Batch = std::deque<Item>;

  explicit HandOver(std::size_t enough) : enough_(enough) {}

  void give(Item item) {
    {
      std::lock_guard lock(mutex_);
      bool told = worth_taking_locked();
      bytes_ += item.share.bytes;
      waiting_.push_back(std::move(item));
      paused_ = false;
      if (told || !worth_taking_locked()) return;
    }
    changed_.notify_one();
  }

  void give(Batch batch) {
    {
      std::lock_guard lock(mutex_);
      for (const auto& item : batch) bytes_ += item.share.bytes;
      std::move(batch.begin(), batch.end(), std::back_inserter(waiting_));
      paused_ = false;
      if (!worth_taking_locked()) return;
    }
    changed_.notify_one();
  }

  // The giver has nothing more at the moment: what is waiting should not wait for more. Until the next
  // give().
  void pause() {
    {
      std::lock_guard lock(mutex_);
      paused_ = true;
    }
    changed_.notify_one();
  }

  // Nothing will be given any more.
  void end() {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_one();
  }

  // All there is, once it is worth taking; what is left after end(); then empty batches.
  Batch take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ || worth_taking_locked(); });
    bytes_ = 0;
    return std::exchange(waiting_, {});
  }

  bool worth_taking() const {
    std::lock_guard lock(mutex_);
    return worth_taking_locked();
  }

  bool empty() const {
    std::lock_guard lock(mutex_);
    return waiting_.empty();
  }

 private:
  bool worth_taking_locked() const { return !waiting_.empty() && (paused_ || bytes_ >= enough_); }

  const std::size_t enough_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Batch waiting_;
  std::size_t bytes_ = 0;
  bool paused_ = false;
  bool ended_ = false;
};

}  // namespace gopline::embedded
