#pragma once
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "common/log/embedded/file_system.h"

namespace gopline::embedded {

// How readers learn that something was committed: every commit writes to the directory's tail file, and a
// thread waits for the kernel to report such writes (inotify), whatever process they come from. Readers wait
// for the version to move on from what it was before they last looked, so that nothing is missed in between.
// Thread-safe.
class Tail {
 public:
  // Without a usable inotify the tail still wakes readers of this process.
  Tail(const std::string& path, std::unique_ptr<File> file);
  ~Tail();
  Tail(const Tail&) = delete;
  Tail& operator=(const Tail&) = delete;

  // Something was committed by this process.
  void touch();
  // Wakes waiters of this process only: for wakeup().
  void stir();
  std::uint64_t version() const;
  // Waits until the version is not `seen` any more. Whether it moved in time.
  bool wait(std::uint64_t seen, std::chrono::steady_clock::time_point until);
  // Whether writes of other processes are heard of, too.
  bool hears_others() const { return watch_ >= 0; }

 private:
  void listen();

  std::unique_ptr<File> file_;
  mutable std::mutex mutex_;
  std::condition_variable moved_;
  std::uint64_t version_ = 1;
  std::uint64_t written_ = 0;
  int watch_ = -1;
  int ending_ = -1;
  std::thread listener_;
};

}  // namespace gopline::embedded
